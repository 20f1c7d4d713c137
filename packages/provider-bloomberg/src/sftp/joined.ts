/** A name in a folder of the server; the folder of the login has no name. */
export function joined(folder: string, name: string): string {
  return folder === '' ? name : `${folder.replace(/\/$/, '')}/${name}`;
}
