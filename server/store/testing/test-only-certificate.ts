/**
 * TEST ONLY. A self-signed certificate and its *published* private key, with which a test's own Redis speaks TLS.
 * It is made out to `localhost` alone, so that 127.0.0.1 is a wrong name for it. It protects nothing: never trust it
 * outside of a test.
 *
 *     const { args, file } = writeCertificate(dir);
 *     await startRedis({ args: ['--tls-port', '6380', ...args] });      // trusted by NODE_EXTRA_CA_CERTS=file
 *
 * Committed, so that no machine needs OpenSSL to run the tests. To make it again:
 * faketime 2020-01-01 openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500
 *   -subj '/CN=Phone Proof Redis (test only)' -addext 'subjectAltName=DNS:localhost'
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkJByYmvTfkWMfhce
vU/ncZTWziAEltimGTk6zD3F17ehRANCAASRzoQ9I765Y5hoIkc5uh1iEgH2Vj5M
QBtov+xzh4HQkNR44yDK1Fxy/CHPfyY9X+YZp6fnSVlwTu2wIGmyRzc9
-----END PRIVATE KEY-----
`;

const certificate = `-----BEGIN CERTIFICATE-----
MIIBvTCCAWOgAwIBAgIUaSUvgvj+MwxWfc/Um0hjWgGrDtcwCgYIKoZIzj0EAwIw
KDEmMCQGA1UEAwwdUGhvbmUgUHJvb2YgUmVkaXMgKHRlc3Qgb25seSkwIBcNMjAw
MTAxMDAwMDAwWhgPMjExOTEyMDgwMDAwMDBaMCgxJjAkBgNVBAMMHVBob25lIFBy
b29mIFJlZGlzICh0ZXN0IG9ubHkpMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
kc6EPSO+uWOYaCJHObodYhIB9lY+TEAbaL/sc4eB0JDUeOMgytRccvwhz38mPV/m
Gaen50lZcE7tsCBpskc3PaNpMGcwHQYDVR0OBBYEFE8g9NdAu3n6h+XOfDzH5bvA
9TfuMB8GA1UdIwQYMBaAFE8g9NdAu3n6h+XOfDzH5bvA9TfuMA8GA1UdEwEB/wQF
MAMBAf8wFAYDVR0RBA0wC4IJbG9jYWxob3N0MAoGCCqGSM49BAMCA0gAMEUCIQCl
9vlx9j57fbThlvIz5Qc8kiN4ORBvLSC6OqLr658ZGgIgUcR4HSGyBc1V7V3nrsea
+nwMW2S/LYVatOhmLquOPPo=
-----END CERTIFICATE-----
`;

export function writeCertificate(dir: string): { args: string[]; file: string } {
  const [file, keyFile] = [join(dir, 'certificate.pem'), join(dir, 'key.pem')];
  writeFileSync(file, certificate);
  writeFileSync(keyFile, key);
  const files = ['--tls-cert-file', file, '--tls-key-file', keyFile, '--tls-ca-cert-file', file];
  return { args: [...files, '--tls-auth-clients', 'no'], file };
}
