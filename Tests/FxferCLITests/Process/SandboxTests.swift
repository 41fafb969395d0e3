import CLinux
import Foundation
import FxferProtocol
import Glibc
import Testing

@testable import FxferCLI

/// Each test confines a thread of its own, which ends with it.
@Suite("The sandbox", .enabled(if: clinux_landlock_version() >= 2, "this kernel has no Landlock"))
struct SandboxTests {
    private let folder: FxferCLI.TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
        for name in ["store", "store/sub", "read", "else"] {
            try #require(mkdir(self.folder.path(of: name), 0o700) == 0)
        }
        for name in ["store/file", "read/file", "else/file"] {
            close(open(self.folder.path(of: name), O_WRONLY | O_CREAT, 0o600))
        }
    }

    /// Runs `body`, which is given full paths by names, on a thread that may store in `store` and read in `read`.
    private func confined<T: Sendable>(
        connecting: [UInt16] = [],
        _ body: @escaping @Sendable (_ path: (String) -> String) -> T
    ) async throws -> T {
        let folder = self.folder
        defer { folder.remove() }
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let rules = SandboxRules(
                            storing: [Array(folder.path(of: "store").utf8)],
                            reading: [Array(folder.path(of: "read").utf8), Array("/proc".utf8)],
                            connecting: connecting
                        )
                        let outcome = try Sandbox.confineThread(to: rules)
                        #expect(outcome == .entered(version: Int(clinux_landlock_version())))
                        return body(folder.path(of:))
                    }
                )
            }
        }
    }

    /// 0, or the errno that a call left.
    private static func result(_ call: () -> CInt) -> CInt {
        let result = call()
        guard result != -1 else { return errno }
        return 0
    }

    private static func opening(_ path: String, _ flags: CInt) -> CInt {
        self.result {
            let descriptor = open(path, flags, 0o600)
            if descriptor != -1 { close(descriptor) }
            return descriptor
        }
    }

    @Test("lets a store read, write, make, move and remove files and folders")
    func storing() async throws {
        let results = try await self.confined { path in
            [
                Self.opening(path("store/file"), O_RDWR | O_TRUNC),
                Self.opening(path("store"), O_RDONLY | O_DIRECTORY),
                Self.opening(path("store/sub/new"), O_WRONLY | O_CREAT),
                Self.opening(path("store/sub"), clinux_o_tmpfile | O_RDWR),
                Self.result { rename(path("store/sub/new"), path("store/new")) },
                Self.result { clinux_rename_exchange(AT_FDCWD, path("store/new"), AT_FDCWD, path("store/file")) },
                Self.result { link(path("store/new"), path("store/sub/linked")) },
                Self.result { unlink(path("store/sub/linked")) },
                Self.result { rmdir(path("store/sub")) },
                Self.result { mkdir(path("store/other"), 0o700) },
            ]
        }
        #expect(results.allSatisfy { $0 == 0 }, "\(results)")
    }

    @Test("lets a store make nothing but files and folders, and run nothing")
    func special() async throws {
        let program = self.folder.path(of: "store/true")
        try FileManager.default.copyItem(atPath: "/bin/true", toPath: program)
        let results = try await self.confined { path in
            [
                Self.result { mkfifo(path("store/fifo"), 0o600) },
                Self.result { symlink("/", path("store/link")) },
                Self.result { mknod(path("store/device"), S_IFCHR | 0o600, 0x103) },
                posix_spawn(nil, program, nil, nil, [nil], nil),
                posix_spawn(nil, "/bin/true", nil, nil, [nil], nil),
            ]
        }
        #expect(results.allSatisfy { $0 == EACCES || $0 == EPERM }, "\(results)")
    }

    @Test("lets files be read where that is said, and nothing else there")
    func reading() async throws {
        let (read, others) = try await self.confined { path in
            (
                Self.opening(path("read/file"), O_RDONLY),
                [
                    Self.opening(path("read/file"), O_WRONLY),
                    Self.opening(path("read/new"), O_WRONLY | O_CREAT),
                    Self.opening(path("read"), O_RDONLY | O_DIRECTORY),
                    Self.result { unlink(path("read/file")) },
                    Self.result { truncate(path("read/file"), 0) },
                ]
            )
        }
        #expect(read == 0)
        #expect(others.dropLast().allSatisfy { $0 == EACCES }, "\(others)")
        // Truncating by name is denied from version 3 on.
        #expect(others.last == (clinux_landlock_version() >= 3 ? EACCES : 0))
    }

    @Test("keeps everything else away, also by links and by moving it")
    func elsewhere() async throws {
        try #require(symlink("../else/file", self.folder.path(of: "read/link")) == 0)
        let results = try await self.confined { path in
            [
                Self.opening(path("else/file"), O_RDONLY),
                Self.opening(path("read/link"), O_RDONLY),
                Self.opening(path("store/../else/file"), O_RDONLY),
                Self.opening(path("else/new"), O_WRONLY | O_CREAT),
                Self.opening(path(""), O_RDONLY | O_DIRECTORY),
                Self.opening("/etc/passwd", O_RDONLY),
                Self.opening("/dev/null", O_WRONLY),
                Self.result { rename(path("else/file"), path("store/moved")) },
                Self.result { link(path("else/file"), path("store/linked")) },
                Self.result { rename(path("store/file"), path("else/moved")) },
            ]
        }
        #expect(results.allSatisfy { $0 == EACCES || $0 == EXDEV }, "\(results)")
    }

    @Test("keeps what is private to other processes away where all of /proc may be read")
    func processes() async throws {
        let results = try await self.confined { path in
            [
                Self.opening("/proc/self/stat", O_RDONLY),
                Self.opening("/proc/\(getppid())/environ", O_RDONLY),
                Self.opening("/proc/\(getppid())/mem", O_RDONLY),
                Self.opening("/proc/self/root\(path("else/file"))", O_RDONLY),
            ]
        }
        #expect(results == [0, EACCES, EACCES, EACCES])
    }

    @Test("makes no TCP connections and no ports", .enabled(if: clinux_landlock_version() >= 4))
    func network() async throws {
        // Port 0: nobody listens there, and the sandbox is asked before that is found out.
        let results = try await self.confined { _ in [connect, bind].map { Self.call($0, port: 0) } }
        #expect(results == [EACCES, EACCES])
    }

    @Test("connects to the ports that its rules name", .enabled(if: clinux_landlock_version() >= 4))
    func ports() async throws {
        // Nobody listens on port 1 or 2: a connection that is let out is refused there.
        let results = try await self.confined(connecting: [1]) { _ in [1, 2].map { Self.call(connect, port: $0) } }
        #expect(results == [ECONNREFUSED, EACCES])
    }

    /// connect(2) or bind(2) with a port of the loopback.
    private static func call(
        _ call: (CInt, UnsafePointer<sockaddr>?, socklen_t) -> CInt,
        port: UInt16
    ) -> CInt {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        return Self.result {
            withUnsafeBytes(of: &address) { bytes in
                call(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
            }
        }
    }

    @Test("signals no process outside", .enabled(if: clinux_landlock_version() >= 6))
    func signals() async throws {
        let result = try await self.confined { _ in Self.result { kill(getppid(), 0) } }
        #expect(result == EPERM)
    }

    @Test("is not entered by a process with more than one thread")
    func threads() throws {
        // The test's own process has several.
        let error = #expect(throws: FxferError.self) { try Sandbox.enter(SandboxRules()) }
        #expect(error?.code == .internal)
        #expect(Self.opening("/dev/null", O_WRONLY) == 0)
    }

    @Test("is not entered where a folder of its rules is not there")
    func missing() async throws {
        let rules = SandboxRules(storing: [Array(self.folder.path(of: "missing").utf8)])
        defer { self.folder.remove() }
        let error = await #expect(throws: FxferError.self) {
            try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread {
                    continuation.resume(with: Result { _ = try Sandbox.confineThread(to: rules) })
                }
            }
        }
        #expect(error?.code == .notPermitted)
    }
}
