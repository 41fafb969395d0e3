import FxferProtocol
import Glibc
import Testing

@testable import FxferStorage

/// How files of the folder in which tests work are read from its device; nil where they are in memory.
let mediaAccessOfTests: MediaAccess? = {
    guard let folder = try? TemporaryFolder(), let descriptor = try? folder.open() else { return nil }
    return try? MediaAccess.probe(in: PartialsFolder(descriptor))
}()

@Suite("Files that are read again from the disk", .enabled(if: mediaAccessOfTests != nil, "/tmp is on no disk"))
struct MediaReadingTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    /// Reads the file `a`, which is flushed first, and compares it with `bytes`.
    private func compare(_ access: MediaAccess, with bytes: [UInt8], _ identity: FileStatus.Identity? = nil) throws {
        let folder = try self.folder.open()
        let file = try folder.openBeneath(CPath("a"), O_RDONLY)
        try file.sync()
        let reading = MediaReading(
            path: try path("a"),
            size: UInt64(bytes.count),
            digest: sha256(bytes),
            access: access
        )
        try reading.compare(in: folder, identity ?? file.status().identity)
    }

    /// Both ways where the first works; else the second.
    static var accesses: [MediaAccess] { mediaAccessOfTests == .direct ? [.direct, .dropping] : [.dropping] }

    @Test(
        "are the same, whatever their size is",
        arguments: Self.accesses,
        [0, 1, 511, 4096, 100_000, 1 << 20, (1 << 20) + 1, (3 << 20) + 17]
    )
    func same(access: MediaAccess, size: Int) throws {
        let bytes = testBytes(size)
        try self.folder.write(bytes, to: "a")
        try self.compare(access, with: bytes)
    }

    @Test("are damaged where a byte is another, or the end is missing", arguments: Self.accesses)
    func damaged(access: MediaAccess) throws {
        let bytes = testBytes((1 << 20) + 5000)
        for index in [0, 4096, bytes.count - 1] {
            var other = bytes
            other[index] ^= 1
            try self.folder.write(other, to: "a")
            let error = #expect(throws: FxferError.self) { try self.compare(access, with: bytes) }
            #expect(error?.code == .damaged)
        }
        for count in [0, 4096, 1 << 20, bytes.count - 1] {
            try self.folder.write(Array(bytes.prefix(count)), to: "a")
            let error = #expect(throws: FxferError.self) { try self.compare(access, with: bytes) }
            #expect(error?.code == .damaged)
        }
    }

    @Test("are not taken for another file of that name", arguments: Self.accesses)
    func replaced(access: MediaAccess) throws {
        try self.folder.write([1], to: "a")
        try self.folder.write([1], to: "b")
        let other = try self.folder.open().openBeneath(CPath("b"), O_RDONLY).status().identity
        let error = #expect(throws: FxferError.self) { try self.compare(access, with: [1], other) }
        #expect(error?.code == .io)
    }

    @Test("leave the page cache when they are dropped from it")
    func dropped() throws {
        try self.folder.write(testBytes(100_000), to: "a")
        let file = try self.folder.open().openBeneath(CPath("a"), O_RDWR)
        #expect(try file.residentPages(of: 100_000) > 0)
        try file.sync()
        #expect(try file.drop(100_000))
        #expect(try file.residentPages(of: 100_000) == 0)
    }
}

@Suite("Whether files can be read again from a disk")
struct MediaAccessTests {
    @Test("not on a file system in memory", .enabled(if: Mount.isPossible, "needs root"))
    func memory() async throws {
        let folder = try TemporaryFolder()
        let mount = try Mount(.tmpfs(kilobytes: 1024, readOnly: false), at: folder.path)
        #expect(try MediaAccess.probe(in: PartialsFolder(folder.open())) == nil)
        #expect(try folder.names() == [])
        let subject = try await DirectoryUnderTest(in: folder)
        for attributes in [FileAttributes(size: 1), FileAttributes(size: 500_000), FileAttributes()] {
            #expect(try subject.store.stageInMemory(path("a"), attributes, .media) == nil)
            let code = await failureCode {
                _ = try await subject.store.stage(path("a"), attributes, .afterwards, .media)
            }
            #expect(code == .cannotCreate)
        }
        #expect(try subject.published() == [])
        #expect(try subject.stagedCount() == 0)
        mount.end()
    }

    @Test("not in a folder that is no file system's on a disk")
    func device() throws {
        let folder = try OwnedDescriptor.open(CPath("/proc"), O_RDONLY | O_DIRECTORY)
        #expect(try MediaAccess.probe(in: PartialsFolder(folder)) == nil)
    }

    @Test("leaves nothing behind")
    func traces() throws {
        let folder = try TemporaryFolder()
        _ = try MediaAccess.probe(in: PartialsFolder(folder.open()))
        #expect(try folder.names() == [])
    }
}
