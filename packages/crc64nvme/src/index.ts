export { Crc64Nvme, crcToBytes } from './crc64-nvme.ts';
export { CrcJoiner } from './crc-joiner.ts';
