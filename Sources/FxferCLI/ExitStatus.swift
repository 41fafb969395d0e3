import FxferProtocol
import Glibc
import UnixSignals

/// The exit statuses of sysexits.h for each kind of failure.
enum ExitStatus {
    static func status(for code: FxferError.Code) -> Int32 {
        switch code {
        case .usage: 64
        case .damaged, .sourceChanged: 65
        case .noInput, .isFolder: 66
        case .cannotConnect: 69
        case .internal: 70
        case .exists, .nameRefused, .cannotCreate, .tooLarge: 73
        case .noSpace, .io: 74
        case .connectionLost, .timedOut, .shuttingDown, .busy, .cancelled: 75
        case .protocolViolation, .unsupportedVersion, .limitExceeded: 76
        case .notPermitted: 77
        }
    }

    /// What the shell gives a process that a signal ended: 128 and the signal's number.
    static func status(for signal: UnixSignal) -> Int32 {
        switch signal {
        case .sighup: 128 + SIGHUP
        case .sigint: 128 + SIGINT
        default: 128 + SIGTERM
        }
    }

    /// Ends the process after an error that stops a whole command, which is named on standard error.
    static func exit(_ error: any Error) -> Never {
        let error = FxferError(wrapping: error)
        StandardStream.error.write(line: "fxfer: \(error.message)")
        Glibc.exit(self.status(for: error.code))
    }
}
