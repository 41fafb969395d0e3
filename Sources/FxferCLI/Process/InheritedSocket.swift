import Fxfer
import FxferNetwork
import FxferProtocol
import Glibc

/// The listening socket that a service manager opened for this process: sd_listen_fds(3).
enum InheritedSocket {
    /// Inherited descriptors have the numbers from 3 on.
    private static let first: CInt = 3

    /// Takes the socket, if there is one for this process, and removes the variables that tell of it, so that programs
    /// that this process starts do not take it for theirs. For a process with one thread.
    ///
    /// - Throws: `usage` where there are several, or what there is is no TCP socket that listens.
    static func take() throws(FxferError) -> ListeningSocket? {
        let count = try Self.count(
            process: Self.variable("LISTEN_PID"),
            descriptors: Self.variable("LISTEN_FDS"),
            getpid()
        )
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] {
            unsetenv(name)
        }
        return count == 0 ? nil : try ListeningSocket.inherit(Self.first)
    }

    /// How many descriptors the variables tell of, 0 or 1.
    ///
    /// - Throws: `usage` where there are more, or it cannot be told.
    static func count(process: String?, descriptors: String?, _ ownProcess: pid_t) throws(FxferError) -> Int {
        // Variables that are meant for another process were inherited by accident.
        guard let process, let descriptors, pid_t(process) == ownProcess else { return 0 }
        guard let count = UInt8(descriptors), count <= 1 else {
            throw FxferError(
                .usage,
                "cannot listen: LISTEN_FDS is '\(EscapedText.escape(Array(descriptors.utf8)))', and one socket can be "
                    + "served; see systemd.socket(5)"
            )
        }
        return Int(count)
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
