import CLibcrypto

/// libcrypto as a whole.
package enum Libcrypto {
    /// Has it read its configuration now, openssl.cnf(5), rather than when a call needs it first: for a process that may
    /// not read files later. A configuration that is damaged is told by the calls that depend on it.
    package static func readConfiguration() {
        _ = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_LOAD_CONFIG), nil)
    }
}
