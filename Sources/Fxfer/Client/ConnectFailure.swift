import FxferProtocol
import Glibc
import NIOCore
import NIOPosix

/// Says why no connection could be made, naming every address that was tried.
enum ConnectFailure {
    static func error(for endpoint: Endpoint, _ cause: any Error) -> FxferError {
        let reason =
            switch cause {
            case let failure as NIOConnectionError where !failure.connectionErrors.isEmpty:
                failure.connectionErrors
                    .map { "\(Endpoint($0.target)): \(Self.text($0.error))" }
                    .joined(separator: "; ")
            case let failure as NIOConnectionError where failure.dnsAError != nil || failure.dnsAAAAError != nil:
                "the host name cannot be resolved"
            default:
                Self.text(cause)
            }
        return FxferError(
            .cannotConnect,
            "cannot connect to \(endpoint): \(reason); is 'fxfer serve' running there?",
            cause: cause
        )
    }

    private static func text(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case ChannelError.connectTimeout(let time): "no answer within \(time.nanoseconds / 1_000_000_000) s"
        default: "\(error)"
        }
    }
}
