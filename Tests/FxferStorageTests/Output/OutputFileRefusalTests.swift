import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("An output that cannot be written")
struct OutputFileRefusalTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func failure(creating name: String) async -> FxferError.Code? {
        await failureCode { _ = try await OutputFile.create(path: Array(self.folder(name).utf8)) }
    }

    @Test(
        "only regular files are replaced; anything else stays as it is",
        arguments: ["folder", "pipe", "link", "dangling", "to-folder"]
    )
    func otherKinds(name: String) async throws {
        try self.folder.makeFolder("folder")
        try self.folder.makePipe("pipe")
        try self.folder.write([1, 2, 3], to: "target")
        try self.folder.link("link", to: "target")
        try self.folder.link("dangling", to: "nowhere")
        try self.folder.link("to-folder", to: "folder")
        let names = try self.folder.names()
        let before = try self.folder.status(of: name)

        #expect(await self.failure(creating: name) == .cannotCreate)
        #expect(try self.folder.status(of: name) == before)
        #expect(try self.folder.names() == names)
        #expect(try self.folder.names(in: "folder") == [])
        #expect(try self.folder.bytes(of: "target") == [1, 2, 3])
    }

    @Test("a device is not replaced")
    func device() async throws {
        let folder = try OwnedDescriptor.open(CPath("/dev"), O_RDONLY | O_DIRECTORY)
        let before = try folder.status(of: CPath("null"))
        #expect(await failureCode { _ = try await OutputFile.create(path: Array("/dev/null".utf8)) } == .cannotCreate)
        #expect(try folder.status(of: CPath("null"))?.identity == before?.identity)
        #expect(try folder.status(of: CPath("null"))?.kind == .device)
    }

    @Test("a folder that is missing, or is none, is named, and nothing is made")
    func noFolder() async throws {
        try self.folder.write([1], to: "file")
        #expect(await self.failure(creating: "missing/f") == .cannotCreate)
        #expect(await self.failure(creating: "file/f") == .cannotCreate)
        #expect(try self.folder.names() == ["file"])
        #expect(try self.folder.bytes(of: "file") == [1])
    }

    @Test(
        "a path that cannot be that of a file is refused",
        arguments: ["", "/", "x/", "x\0", "/tmp/", ".", "/tmp/.."]
    )
    func noName(path: String) async {
        #expect(await failureCode { _ = try await OutputFile.create(path: Array(path.utf8)) } == .cannotCreate)
    }

    @Test("a name that is too long is refused")
    func longName() async throws {
        #expect(await self.failure(creating: String(repeating: "a", count: 256)) == .cannotCreate)
        #expect(try self.folder.names() == [])
    }

    @Test("a folder that takes the name meanwhile stays, and there is no litter")
    func folderMeanwhile() async throws {
        let file = try await OutputFile.create(path: Array(self.folder("f").utf8))
        try await file.append(ByteBuffer(bytes: [1]))
        try self.folder.makeFolder("f")
        #expect(await failureCode { _ = try await file.publish() } != nil)
        #expect(try self.folder.status(of: "f")?.kind == .folder)
        #expect(try self.folder.names() == ["f"])
    }

    @Test("a name that would drive the terminal is escaped in the message")
    func escaped() async throws {
        let error = await #expect(throws: FxferError.self) {
            _ = try await OutputFile.create(path: Array("/nowhere/a\u{1b}[2J\nb".utf8))
        }
        #expect(error?.message.utf8.allSatisfy { $0 >= 0x20 } == true)
    }
}

@Suite("An output and its file system", .enabled(if: Mount.isPossible, "needs mount(2)"))
struct OutputFileMountTests {
    @Test("a disk that fills up is named; the old file stays, and the space is given back")
    func full() async throws {
        let folder = try TemporaryFolder()
        let mount = try Mount(.tmpfs(kilobytes: 1024, readOnly: false), at: folder.path)
        try folder.write(testBytes(300_000), to: "f")
        let old = try folder.status(of: "f")
        let file = try await OutputFile.create(path: Array(folder("f").utf8))
        try await file.append(ByteBuffer(bytes: testBytes(500_000)))
        #expect(await failureCode { try await file.append(ByteBuffer(bytes: testBytes(500_000))) } == .noSpace)
        #expect(try folder.status(of: "f") == old)
        await file.discard()
        #expect(try folder.names() == ["f"])
        #expect(try folder.bytes(of: "f") == testBytes(300_000))

        let next = try await OutputFile.create(path: Array(folder("f").utf8))
        try await next.append(ByteBuffer(bytes: testBytes(500_000)))
        #expect(try await next.publish().digest == sha256(testBytes(500_000)))
        mount.end()
    }

    @Test("a disk that is full from the beginning is named by the first bytes, and nothing is left")
    func fullFromTheBeginning() async throws {
        let folder = try TemporaryFolder()
        let mount = try Mount(.tmpfs(kilobytes: 64, readOnly: false), at: folder.path)
        try folder.write(testBytes(64 << 10), to: "filler")
        let code = await failureCode {
            let file = try await OutputFile.create(path: Array(folder("f").utf8))
            try await file.append(ByteBuffer(bytes: [1]))
        }
        #expect(code == .noSpace)
        #expect(try folder.names() == ["filler"])
        mount.end()
    }

    @Test("a folder that cannot be written is named")
    func readOnly() async throws {
        let folder = try TemporaryFolder()
        let mount = try Mount(.tmpfs(kilobytes: 64, readOnly: true), at: folder.path)
        #expect(await failureCode { _ = try await OutputFile.create(path: Array(folder("f").utf8)) } == .cannotCreate)
        #expect(try folder.names() == [])
        mount.end()
    }
}
