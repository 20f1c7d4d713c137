/** What the loopback account over SFTP does wrong, or otherwise than most. All of it can be switched while it runs. */
export class BloombergSftpFaults {
  /** How long after an upload its reply begins to appear. Default 0: at once. */
  delayMs = 0;
  /** A reply appears in part; so many further looks at the folder show more of it, the last one all. */
  growing: number | undefined = undefined;
  /** Replies are encrypted as accounts of old have it, under this password: gzip first, then DES and uuencode. */
  uuDes: string | undefined = undefined;
  /** Whatever else is done to a reply's bytes last, such as OpenPGP. */
  encrypt: ((bytes: Uint8Array) => Promise<Uint8Array>) | undefined = undefined;
  /** Every request is answered with `##` and this text. */
  errorReply: string | undefined = undefined;
  /** Where replies end too early. */
  cut: 'before END-OF-FILE' | 'inside the data' | undefined = undefined;
  /** Whether replies count their rows, and how. Default `absent`. */
  dataRecords: 'absent' | 'right' | 'wrong' = 'absent';
  /** Reply names get the date: `name.out.20260115`. */
  datedNames = false;
  /** Logins are refused as from an address that is not allowed: nothing tells it from a wrong password. */
  wrongIp = false;

  /** As most accounts are. */
  reset(): void {
    Object.assign(this, new BloombergSftpFaults());
  }
}
