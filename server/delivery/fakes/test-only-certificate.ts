/**
 * TEST ONLY. A self-signed certificate and its *published* private key, with which the fakes of vendors' APIs speak
 * real TLS on loopback. It protects nothing: never trust it outside of a test.
 *
 *     createServer({ key: testOnlyKey, cert: testOnlyCertificate });
 *     new Agent({ ca: testOnlyCertificate });
 *
 * Committed, so that no machine needs OpenSSL or a network to run the tests. To make it again (OpenSSL 3.4):
 * openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=Phone Proof fakes (test only)'
 *   -addext 'subjectAltName=DNS:rest.messagebird.com,DNS:localhost,IP:127.0.0.1'
 *   -not_before 20200101000000Z -not_after 21200101000000Z
 */
export const testOnlyKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpZoSOy+oZorjCt4M
6qgw3GyZ+5Q4Lks9VZcj1BcJkoqhRANCAAR8K+bprS+i2RT1kl6VJZ67unCCU/j/
iPzrG92ZDmwNB4DDy3O7WFHZtrdqF0FwhFCtFjKbU7mYLFFT9GBBeTb/
-----END PRIVATE KEY-----
`;

export const testOnlyCertificate = `-----BEGIN CERTIFICATE-----
MIIBpTCCAUugAwIBAgIBATAKBggqhkjOPQQDAjAoMSYwJAYDVQQDDB1QaG9uZSBQ
cm9vZiBmYWtlcyAodGVzdCBvbmx5KTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEw
MTAwMDAwMFowKDEmMCQGA1UEAwwdUGhvbmUgUHJvb2YgZmFrZXMgKHRlc3Qgb25s
eSkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR8K+bprS+i2RT1kl6VJZ67unCC
U/j/iPzrG92ZDmwNB4DDy3O7WFHZtrdqF0FwhFCtFjKbU7mYLFFT9GBBeTb/o2Qw
YjAPBgNVHRMBAf8EBTADAQH/MDAGA1UdEQQpMCeCFHJlc3QubWVzc2FnZWJpcmQu
Y29tgglsb2NhbGhvc3SHBH8AAAEwHQYDVR0OBBYEFNQHiMXG4PZG+0rsDVJO48rw
lFzlMAoGCCqGSM49BAMCA0gAMEUCIQCiyUz6qHlrTvwJkI6Y9JCAcllP/Dg3U1vL
xcICKQlVCwIgST39wNzIOtCqWqoOZ+VlRd1W/S8cCWD34AtEmprzLwg=
-----END CERTIFICATE-----
`;
