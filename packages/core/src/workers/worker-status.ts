/** How a pipeline's worker is. Plain data, for people and programs; reasons are redacted. */
export interface WorkerStatus {
  readonly pipeline: string;
  /** Those of its provider and its sink. */
  readonly instances: readonly string[];
  /** `cold`: no process now; `waiting`: it died, and is started again by a later run; `quarantined`: it died too often. */
  readonly state: 'cold' | 'starting' | 'warm' | 'running' | 'waiting' | 'quarantined';
  readonly pid?: number;
  /** Within the time that counts. */
  readonly deaths: number;
  /** Of the last death. */
  readonly reason?: string;
}
