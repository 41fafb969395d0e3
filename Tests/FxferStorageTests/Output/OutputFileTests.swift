import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A file that a user asked for by its path")
struct OutputFileTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func create(_ name: String) async throws -> OutputFile {
        try await OutputFile.create(path: Array(self.folder(name).utf8))
    }

    /// Creates a file of these pieces and gives it its name.
    @discardableResult
    private func write(_ pieces: [[UInt8]], to name: String) async throws -> FilePrefix {
        let file = try await self.create(name)
        for piece in pieces {
            try await file.append(ByteBuffer(bytes: piece))
        }
        return try await file.publish()
    }

    // MARK: Publishing

    @Test(
        "what was appended is published with its size and SHA-256",
        arguments: [[], [0], [1], [1000, 0, 300_000]]
    )
    func publishes(sizes: [Int]) async throws {
        let pieces = sizes.map { testBytes($0, seed: UInt64($0)) }
        let whole = pieces.flatMap { $0 }
        let prefix = try await self.write(pieces, to: "f")
        #expect(prefix.length == UInt64(whole.count))
        #expect(prefix.digest == sha256(whole))
        #expect(try self.folder.bytes(of: "f") == whole)
        #expect(try self.folder.names() == ["f"])
    }

    @Test("nothing has the name before the file is published")
    func hidden() async throws {
        let file = try await self.create("f")
        try await file.append(ByteBuffer(bytes: testBytes(1000)))
        #expect(try self.folder.status(of: "f") == nil)
        #expect(try self.folder.names().allSatisfy { $0.hasPrefix(".") })
        await file.discard()
    }

    @Test("an old file stays as it is until it is replaced as a whole, by another file")
    func replaces() async throws {
        try self.folder.write(testBytes(5000), to: "f")
        let old = try self.folder.status(of: "f")
        let reader = try OwnedDescriptor.open(CPath(self.folder("f")), O_RDONLY)
        let file = try await self.create("f")
        try await file.append(ByteBuffer(bytes: testBytes(10, seed: 2)))
        #expect(try self.folder.status(of: "f") == old)

        _ = try await file.publish()
        #expect(try self.folder.bytes(of: "f") == testBytes(10, seed: 2))
        #expect(try self.folder.status(of: "f")?.identity != old?.identity)
        #expect(try reader.content() == testBytes(5000), "who reads the old file goes on doing so")
        #expect(try self.folder.names() == ["f"])
    }

    @Test("a hard link to the old file keeps the old content")
    func hardLink() async throws {
        try self.folder.write([1, 2, 3], to: "f")
        try once { link(self.folder("f"), self.folder("other")) }
        try await self.write([[4]], to: "f")
        #expect(try self.folder.bytes(of: "other") == [1, 2, 3])
        #expect(try self.folder.bytes(of: "f") == [4])
    }

    @Test("the new file's permissions are those of any new file")
    func permissions() async throws {
        try await self.write([[1]], to: "f")
        let mask = UInt16(truncatingIfNeeded: FileCreationMask.current())
        #expect(try self.folder.status(of: "f")?.permissions == 0o666 & ~mask)
    }

    @Test("a file is published once only, and discarding it afterwards takes nothing away")
    func onceOnly() async throws {
        let file = try await self.create("f")
        try await file.append(ByteBuffer(bytes: [1, 2, 3]))
        _ = try await file.publish()
        #expect(await failureCode { _ = try await file.publish() } == .internal)
        await file.discard()
        #expect(try self.folder.bytes(of: "f") == [1, 2, 3])
        #expect(try self.folder.names() == ["f"])
    }

    @Test("a path through a link to a folder is followed")
    func linkToFolder() async throws {
        try self.folder.makeFolder("a")
        try self.folder.link("link", to: "a")
        try await self.write([[1]], to: "link/f")
        #expect(try self.folder.bytes(of: "a/f") == [1])
        #expect(try self.folder.names(in: "a") == ["f"])
    }

    @Test("two outputs of one name do not disturb each other: the last one published stays, whole")
    func twoAtOnce() async throws {
        let first = try await self.create("f")
        let second = try await self.create("f")
        try await first.append(ByteBuffer(bytes: testBytes(1000, seed: 1)))
        try await second.append(ByteBuffer(bytes: testBytes(2000, seed: 2)))
        _ = try await second.publish()
        _ = try await first.publish()
        #expect(try self.folder.bytes(of: "f") == testBytes(1000, seed: 1))
        #expect(try self.folder.names() == ["f"])
    }

    @Test("a name of 255 bytes, or one that is not UTF-8, is written as it is")
    func unusualNames() async throws {
        let names = [[UInt8](repeating: 0x61, count: 255), [0xFF, 0x0A, 0xFE]]
        for name in names {
            let file = try await OutputFile.create(path: Array(self.folder.path.utf8) + [0x2F] + name)
            _ = try await file.publish()
        }
        #expect(try Set(self.folder.open().names().map(\.bytes)) == Set(names))
    }

    // MARK: Giving up

    @Test("a discarded file leaves the old one and no litter")
    func discards() async throws {
        try self.folder.write([1, 2, 3], to: "f")
        let old = try self.folder.status(of: "f")
        let file = try await self.create("f")
        try await file.append(ByteBuffer(bytes: testBytes(1000)))
        await file.discard()
        #expect(try self.folder.status(of: "f") == old)
        #expect(try self.folder.bytes(of: "f") == [1, 2, 3])
        #expect(try self.folder.names() == ["f"])
        #expect(await failureCode { _ = try await file.publish() } == .internal)
        #expect(try openDescriptors(below: self.folder.path) == 0)
    }

    @Test("a file that nobody holds any more is removed")
    func forgotten() async throws {
        try self.folder.write([1, 2, 3], to: "f")
        do {
            let file = try await self.create("f")
            try await file.append(ByteBuffer(bytes: testBytes(1000)))
        }
        #expect(try self.folder.names() == ["f"])
        #expect(try self.folder.bytes(of: "f") == [1, 2, 3])
        #expect(try openDescriptors(below: self.folder.path) == 0)
    }

    @Test("a cancelled task's file is discarded all the same")
    func cancelled() async throws {
        try self.folder.write([1, 2, 3], to: "f")
        let file = try await self.create("f")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await file.discard()
        }
        await task.value
        #expect(try self.folder.names() == ["f"])
        #expect(try self.folder.bytes(of: "f") == [1, 2, 3])
    }
}
