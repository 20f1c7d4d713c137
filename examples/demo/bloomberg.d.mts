export function startBloomberg(
  folder: string,
  options?: { readonly correctAfterMs?: number; readonly onCorrection?: (key: string) => void },
): Promise<AsyncDisposable & { readonly url: string }>;
