export function startVendor(
  folder: string,
  options?: { readonly reissueAfterMs?: number; readonly onReissue?: (name: string) => void },
): Promise<
  AsyncDisposable & {
    readonly port: number;
    readonly outbound: string;
    readonly bloombergUrl: string;
  }
>;

export function vendorRuns(folder: string): Promise<boolean>;
