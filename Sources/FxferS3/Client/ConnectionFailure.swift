import AsyncHTTPClient
import FxferNetwork
import FxferProtocol
import NIOCore
import NIOPosix
import NIOSSL

/// Why there is no connection to the store, or none any more, in words for whoever runs the server.
enum ConnectionFailure {
    /// - Parameter error: what the HTTP client, TLS or the socket says.
    static func text(of error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            guard let failure = error.connectionErrors.first?.error else { return "the host name cannot be resolved" }
            return NetworkErrorText.text(of: failure)
        case NIOSSLError.handshakeFailed(let reason):
            return Self.text(ofHandshake: "\(reason)")
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            return "its certificate is for another name; use the name that it is for"
        case is NIOSSLError:
            return "the TLS connection broke"
        case let error as HTTPClientError:
            return Self.text(of: error)
        case is IOError, is ChannelError, is SocketAddressError.UnknownHost:
            return EscapedText.words(NetworkErrorText.text(of: error))
        default:
            return EscapedText.words("\(error)")
        }
    }

    static let closed = "it closed the connection"

    private static func text(of error: HTTPClientError) -> String {
        switch error {
        case .connectTimeout: "nobody answers there"
        case .tlsHandshakeTimeout: "TLS cannot be set up in time; is it http:// in place of https://?"
        case .remoteConnectionClosed, .uncleanShutdown: Self.closed
        // Not its description, which may have what was sent in a header.
        default: "the request failed: \(EscapedText.words(error.shortDescription))"
        }
    }

    /// By BoringSSL's reasons, as it prints them.
    private static func text(ofHandshake reason: String) -> String {
        if reason.contains("CERTIFICATE_VERIFY_FAILED") {
            return
                "its certificate is not valid, or its authority is not known; AWS_CA_BUNDLE names a file of authorities"
        }
        if reason.contains("WRONG_VERSION_NUMBER") || reason.contains("HTTP_REQUEST") {
            return "it does not speak TLS; is it http:// in place of https://?"
        }
        return "TLS cannot be set up\(NetworkErrorText.handshakeReason(in: reason))"
    }
}
