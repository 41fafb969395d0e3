import Glibc
import NIOCore

/// What went wrong in the network, in the words of the C library.
package enum NetworkErrorText {
    package static func text(of error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case ChannelError.connectTimeout(let time): "no answer within \(time.nanoseconds / 1_000_000_000) s"
        case is UnresolvedHost: "the host name cannot be resolved"
        case SocketAddressError.unknown: "the host name cannot be resolved"
        case is SocketAddressError.UnknownHost: "the host name cannot be resolved"
        default: "\(error)"
        }
    }

    /// BoringSSL's word for what went wrong, in parentheses, of a text like
    /// `error:10000410:SSL routines:OPENSSL_internal:WORD at …`; nothing where there is none.
    package static func handshakeReason(in text: String) -> String {
        guard let words = text.firstRange(of: "OPENSSL_internal:") else { return "" }
        let word = text[words.upperBound...].prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        return " (\(word))"
    }
}

/// getaddrinfo(3) knows no address of a host.
struct UnresolvedHost: Error {}
