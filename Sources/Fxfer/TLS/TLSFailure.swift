import FxferNetwork
import FxferProtocol
import NIOCore
import NIOSSL

/// What went wrong with TLS, in words for the client's user.
enum TLSFailure {
    /// - Parameter error: what NIOSSL or the socket says.
    static func error(for error: any Error, _ server: Endpoint) -> FxferError {
        switch error {
        case let error as FxferError:
            return error
        case NIOSSLError.handshakeFailed(let reason):
            return self.handshakeError(reason, server, cause: error)
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            return FxferError(
                .notPermitted,
                "the certificate of \(server) is for another name; use the name that it is for",
                cause: error
            )
        default:
            return self.lost(server, "the connection to \(server) broke", cause: error)
        }
    }

    /// Whether a record from the other side is not what it has sealed. (What the other side says of our own records has
    /// the name of an alert.)
    static func isDamage(_ error: any Error) -> Bool {
        // BoringSSL's name for it.
        "\(error)".contains("OPENSSL_internal:DECRYPTION_FAILED_OR_BAD_RECORD_MAC")
    }

    private static func handshakeError(
        _ reason: BoringSSLError,
        _ server: Endpoint,
        cause: any Error
    ) -> FxferError {
        // BoringSSL's reasons, by the names that it prints.
        let text = "\(reason)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return FxferError(
                .notPermitted,
                "the certificate of \(server) is not valid, or not signed by the authorities of --ca",
                cause: cause
            )
        }
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
            return FxferError(
                .protocolViolation,
                "\(server) does not speak TLS, so nothing was sent; is it an fxfer server?",
                cause: cause
            )
        }
        if text.contains("EOF during handshake") || text.contains("syscallError") {
            return self.lost(server, "\(server) closed the connection before TLS was set up", cause: cause)
        }
        return FxferError(
            .protocolViolation,
            "TLS 1.3 cannot be set up with \(server)\(NetworkErrorText.handshakeReason(in: text)); is it an fxfer server?",
            cause: cause
        )
    }

    private static func lost(_ server: Endpoint, _ words: String, cause: any Error) -> FxferError {
        FxferError(.connectionLost, "\(words); try again", cause: cause)
    }
}
