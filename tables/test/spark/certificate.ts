/**
 * A certificate of `localhost` that nobody signed, good for a hundred years, and its key: for tests
 * alone.
 */
export const cert = `-----BEGIN CERTIFICATE-----
MIIBlDCCATugAwIBAgIUOYOMIgTvQ+4FKTFq+XcrsKqQMXAwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzE3MTA1NloYDzIxMjYxMDMw
MTcxMDU2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARx9gewvPmYwFUHJFcf2L8Y/r9WDEqpzhtpQ94LTxAeEDaw9cMPhhmZ
cPGUtnyzYICaYSJHfzXMmBzvpOEboyjeo2kwZzAdBgNVHQ4EFgQUSVfpKKe6Jzyl
uoXbi1kjMYtL/jIwHwYDVR0jBBgwFoAUSVfpKKe6JzyluoXbi1kjMYtL/jIwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
RwAwRAIgFq1U2TsCTTKaiSluQbbnU6UmosShuPX488A2apHc03wCIAuggGGQss0u
VJAvumAV3OC++j6av1MPrlSlMfjF8VzU
-----END CERTIFICATE-----
`
export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3Ufo8IThMTcOUFge
kuLPbwPDeGqk24w0HjxMpHOfc5OhRANCAARx9gewvPmYwFUHJFcf2L8Y/r9WDEqp
zhtpQ94LTxAeEDaw9cMPhhmZcPGUtnyzYICaYSJHfzXMmBzvpOEboyje
-----END PRIVATE KEY-----
`
