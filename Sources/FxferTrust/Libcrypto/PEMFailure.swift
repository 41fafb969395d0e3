import CLibcrypto

/// Why text is not what was expected in PEM form (RFC 7468).
enum PEMFailure: Error {
    /// There is no block of that kind.
    case missing
    /// There is one which cannot be read.
    case broken
    /// It is encrypted.
    case encrypted

    /// Why PEM_read_bio_X509 just returned null. Takes libcrypto's errors of this thread away.
    static func last() -> PEMFailure {
        defer { ERR_clear_error() }
        return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? .missing : .broken
    }
}

/// The password callback of libcrypto (pem_password_cb) that has none to give, so that nobody is asked on the terminal.
/// Where it is called, the `Bool` behind the last argument becomes true.
func noPassword(
    _ buffer: UnsafeMutablePointer<CChar>?,
    _ size: CInt,
    _ isForWriting: CInt,
    _ wasAsked: UnsafeMutableRawPointer?
) -> CInt {
    wasAsked?.assumingMemoryBound(to: Bool.self).pointee = true
    return -1
}
