import CLinux
import FxferProtocol
import Glibc

/// Landlock (landlock(7)): the process gives up, for good, all of the file system but what its rules name, and TCP
/// connections (but to the ports that its rules name) and ports of its own; sockets and files that are open already stay so. It gives up root's capabilities, too,
/// but for those on files. What an attacker would make it do ends there.
enum Sandbox {
    /// What became of ``enter(_:)``.
    enum Outcome: Equatable {
        /// The version of the kernel's Landlock, from 2 on.
        case entered(version: Int)
        /// The kernel has none that is of use.
        case unavailable
    }

    /// Confines this process. The version is that of Linux 5.19 at least: the first one, of 5.13, denies moving files
    /// between folders whatever the rules are.
    ///
    /// - Throws: `internal` where the process has more than one thread, as the others would stay free; `notPermitted`
    ///   where the kernel refuses. The process may be confined by a part of the rules then, and should end.
    static func enter(_ rules: SandboxRules) throws(FxferError) -> Outcome {
        let threads = Self.countThreads()
        guard threads == 1 else {
            throw FxferError(
                .internal,
                "cannot enter the sandbox: /proc/self/task shows \(threads) threads in place of 1; see --no-sandbox"
            )
        }
        var rules = rules
        rules.reading.append(Self.processes)
        return try Self.confineThread(to: rules)
    }

    /// libdispatch reads /proc/TID/stat to see which of its threads are blocked, and ends the process where it cannot. No
    /// rule can name the folders of threads to come, so it is for all of /proc; what is private to another process
    /// there (its environment, memory and files) the kernel refuses to a confined one without CAP_PERFMON in any case.
    private static let processes = Array("/proc".utf8)

    /// Confines this thread, and those that it starts.
    static func confineThread(to rules: SandboxRules) throws(FxferError) -> Outcome {
        try Self.call("give up privileges") { clinux_no_new_privileges() }
        try Self.call("give up capabilities") { clinux_keep_capabilities(Self.fileCapabilities) }
        let version = Int(clinux_landlock_version())
        guard version != -1 || ![ENOSYS, EOPNOTSUPP].contains(errno) else { return .unavailable }
        guard version != -1 else { throw Self.failure("ask for Landlock's version") }
        guard version >= 2 else { return .unavailable }

        let denied = SandboxRights.all(in: version)
        let ruleset = try Self.call("make its rules") {
            clinux_landlock_create(denied.rawValue, version >= 4 ? Self.allOfTCP : 0, version >= 6 ? Self.allScopes : 0)
        }
        defer { close(ruleset) }
        for folder in rules.storing {
            try Self.allow(SandboxRights.storing.intersection(denied), in: folder, ruleset)
        }
        for folder in rules.reading {
            try Self.allow(.reading, in: folder, ruleset)
        }
        if version >= 4 {
            for port in rules.connecting {
                try Self.call("allow port \(port)") { clinux_landlock_allow_port(ruleset, Self.connectTCP, port) }
            }
        }
        try Self.call("begin") { clinux_landlock_restrict(ruleset) }
        return .entered(version: version)
    }

    /// What root keeps, to store files in folders of other users: CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH,
    /// CAP_FOWNER and CAP_FSETID (capabilities(7)), numbers 0 to 4.
    private static let fileCapabilities: UInt64 = 0b11111

    /// LANDLOCK_ACCESS_NET_BIND_TCP and LANDLOCK_ACCESS_NET_CONNECT_TCP.
    private static let allOfTCP: UInt64 = 3
    private static let connectTCP: UInt64 = 2

    /// LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (one that is connected already stays so) and LANDLOCK_SCOPE_SIGNAL.
    private static let allScopes: UInt64 = 3

    private static func allow(_ rights: SandboxRights, in folder: [UInt8], _ ruleset: CInt) throws(FxferError) {
        let place = "allow '\(EscapedText.escape(folder))'"
        let path = folder.map(CChar.init(bitPattern:)) + [0]
        let descriptor = try Self.call(place) { open(path, clinux_o_path | O_DIRECTORY | O_CLOEXEC) }
        defer { close(descriptor) }
        try Self.call(place) { clinux_landlock_allow(ruleset, rights.rawValue, descriptor) }
    }

    @discardableResult
    private static func call(_ what: String, _ body: () -> CInt) throws(FxferError) -> CInt {
        let result = body()
        guard result != -1 else { throw Self.failure(what) }
        return result
    }

    /// Names what failed, by errno(3).
    private static func failure(_ what: String) -> FxferError {
        let reason = String(cString: strerror(errno))
        return FxferError(.notPermitted, "cannot enter the sandbox (\(what)): \(reason); see --no-sandbox")
    }

    /// The threads of this process; 0 where that cannot be known.
    private static func countThreads() -> Int {
        guard let folder = opendir("/proc/self/task") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) {
            // All names but `.` and `..` are numbers.
            if entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { count += 1 }
        }
        return count
    }
}
