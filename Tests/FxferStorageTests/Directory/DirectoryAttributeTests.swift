import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("Attributes of published files")
struct DirectoryAttributeTests {
    @Test(
        "permissions are set exactly, without set-id and sticky bits",
        arguments: [0, 0o400, 0o644, 0o777, 0o6777, 0o7755]
    )
    func permissions(permissions: UInt16) async throws {
        let subject = try await DirectoryUnderTest()
        let file = try await subject.fresh(path("a"), FileAttributes(permissions: permissions))
        #expect(try await file.publish().outcome == .stored)
        var status = stat()
        try once { lstat(subject.folder("a"), &status) }
        #expect(status.st_mode & 0o7777 == mode_t(permissions & 0o777))
    }

    @Test("unknown permissions become the default")
    func defaultPermissions() async throws {
        var options = DirectoryStore.Options()
        options.defaultPermissions = 0o640
        let subject = try await DirectoryUnderTest(options: options)
        #expect(try await subject.fresh(path("a")).publish().outcome == .stored)
        #expect(try subject.folder.status(of: "a")?.permissions == 0o640)
    }

    @Test("the modification time arrives to the nanosecond")
    func modified() async throws {
        let subject = try await DirectoryUnderTest()
        let time = FileTime(seconds: 1_234_567_890, nanoseconds: 123_456_789)
        let file = try await subject.fresh(path("a"), FileAttributes(modified: time))
        try await file.append(ByteBuffer(bytes: [1]))
        #expect(try await file.publish().outcome == .stored)
        #expect(try subject.folder.status(of: "a")?.stamp.modified == time)
    }

    @Test(
        "a time that no file system can hold does not keep the file from being stored",
        arguments: [Int64.min, Int64.min + 1, -1, 0, 1 << 62, Int64.max],
        [0, 999_999_999, UInt32.max]
    )
    func extremes(seconds: Int64, nanoseconds: UInt32) async throws {
        let subject = try await DirectoryUnderTest()
        let time = FileTime(seconds: seconds, nanoseconds: nanoseconds)
        let file = try await subject.fresh(path("a"), FileAttributes(modified: time))
        try await file.append(ByteBuffer(bytes: testBytes(10)))
        #expect(try await file.publish().outcome == .stored)
        #expect(try subject.content(at: path("a")) == testBytes(10))
    }

    @Test("only this user can read a file while it is staged, and the folders it is in")
    func staged() async throws {
        let subject = try await DirectoryUnderTest()
        let file = try await subject.fresh(path("a"), FileAttributes(permissions: 0o777))
        let name = try #require(subject.folder.names(in: ".fxfer/partials").first)
        #expect(try subject.folder.status(of: ".fxfer/partials/\(name)")?.permissions == 0o600)
        #expect(try subject.folder.status(of: ".fxfer")?.permissions == 0o700)
        #expect(try subject.folder.status(of: ".fxfer/partials")?.permissions == 0o700)
        await file.discard(keepingPartial: false)
    }
}
