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
}

/// getaddrinfo(3) knows no address of a host.
struct UnresolvedHost: Error {}
