/** How the peers are told about the S3 endpoint. */
import { program } from './programs.ts';

/** In the environment of every one of them. */
export const S3_ENV: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};

/** Beginning of a command of `aws s3`. */
export function awsS3(endpoint: string): readonly string[] {
  return [program('aws'), '--endpoint-url', endpoint, 's3'];
}

/** rclone's way to write a remote without a configuration file; the bucket follows. */
export function rcloneS3(endpoint: string): string {
  return `:s3,provider=Other,env_auth=true,endpoint='${endpoint}':`;
}

/** Beginning of a command of s3cmd. */
export function s3cmd(endpoint: string): readonly string[] {
  const { host } = new URL(endpoint);
  const place = [`--host=${host}`, `--host-bucket=${host}`, '--no-ssl', '--region=us-east-1'];
  const keys = ['--access_key=bench', '--secret_key=bench'];
  return [program('s3cmd'), '-q', '-c', '/dev/null', ...place, ...keys];
}
