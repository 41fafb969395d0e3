import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A source file")
struct SourceFileTests {
    let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func source(_ bytes: [UInt8]) async throws -> SourceFile {
        try self.folder.write(bytes, to: "x")
        return try await SourceFile.open(path: Array(self.folder("x").utf8))
    }

    @Test("chunks carry the file's bytes and the digest of all bytes so far", arguments: [0, 1, 1000, 65536, 150_001])
    func chunks(size: Int) async throws {
        let bytes = testBytes(size)
        let source = try await self.source(bytes)
        #expect(source.size == UInt64(size))
        #expect(source.attributes.size == UInt64(size))
        var offset = 0
        repeat {
            let count = min(50_000, size - offset)
            let chunk = try await source.read(at: UInt64(offset), count: count)
            #expect(Array(chunk.bytes.readableBytesView) == Array(bytes[offset..<offset + count]))
            offset += count
            #expect(chunk.digest == sha256(bytes[..<offset]))
            source.confirm(UInt64(offset))
        } while offset < size
        try await source.checkUnchanged()
    }

    @Test("a chunk that takes several reads has all of its bytes, and is refused where the file ends before")
    func largeChunk() async throws {
        for size in [(256 << 10) - 1, 256 << 10, (256 << 10) + 1, 1 << 20] {
            let bytes = testBytes(size)
            let chunk = try await self.source(bytes).read(at: 0, count: size)
            #expect(chunk.bytes == ByteBuffer(bytes: bytes))
            #expect(chunk.digest == sha256(bytes))
            let short = try await self.source(bytes)
            #expect(await failureCode { _ = try await short.read(at: 0, count: size + 1) } == .sourceChanged)
        }
    }

    @Test("permissions travel without set-id and sticky bits")
    func attributes() async throws {
        try self.folder.write([1], to: "x")
        try self.folder.setMode("x", 0o6751)
        let source = try await SourceFile.open(path: Array(self.folder("x").utf8))
        #expect(source.attributes.permissions == 0o751)
        #expect(try source.attributes.modified == self.folder.status(of: "x")?.stamp.modified)
    }

    @Test("after a rewind the same bytes come again, with the same digests")
    func rewind() async throws {
        let bytes = testBytes(3000)
        let source = try await self.source(bytes)
        _ = try await source.read(at: 0, count: 1000)
        let second = try await source.read(at: 1000, count: 1000)
        _ = try await source.read(at: 2000, count: 1000)
        source.confirm(1000)
        try source.rewind(to: 1000)
        let again = try await source.read(at: 1000, count: 1000)
        #expect(again.bytes == second.bytes)
        #expect(again.digest == second.digest)
        #expect(try await source.read(at: 2000, count: 1000).digest == sha256(bytes))
    }

    @Test("a place that is confirmed or was never a chunk's end cannot be gone back to", arguments: [0, 999, 4000])
    func unknownPlace(offset: UInt64) async throws {
        let source = try await self.source(testBytes(3000))
        _ = try await source.read(at: 0, count: 1000)
        _ = try await source.read(at: 1000, count: 1000)
        source.confirm(1000)
        #expect(await failureCode { try source.rewind(to: offset) } == .internal)
        #expect(try await source.read(at: 2000, count: 1000).digest == sha256(testBytes(3000)))
    }

    @Test("reading goes on behind a hashed prefix", arguments: [0, 1, 1000, 17 << 20])
    func prefix(length: Int) async throws {
        let bytes = testBytes(length + 10)
        let source = try await self.source(bytes)
        #expect(try await source.hashPrefix(UInt64(length)) == sha256(bytes[..<length]))
        let chunk = try await source.read(at: UInt64(length), count: 10)
        #expect(chunk.digest == sha256(bytes))
        try source.rewind(to: UInt64(length))
        #expect(try await source.read(at: UInt64(length), count: 10).digest == chunk.digest)
    }

    @Test("what is skipped is hashed, and its end can be gone back to", arguments: [0, 1, 1000, 17 << 20])
    func skip(length: Int) async throws {
        let bytes = testBytes(length + 30)
        let source = try await self.source(bytes)
        _ = try await source.read(at: 0, count: 10)
        let end = UInt64(length + 10)
        try await source.skip(to: end)
        try await source.skip(to: end)
        let chunk = try await source.read(at: end, count: 10)
        #expect(Array(chunk.bytes.readableBytesView) == Array(bytes[Int(end)..<Int(end) + 10]))
        #expect(chunk.digest == sha256(bytes[..<(Int(end) + 10)]))
        source.confirm(10)
        try source.rewind(to: end)
        #expect(try await source.read(at: end, count: 20).digest == sha256(bytes))
        // The gap turned out to be wrong: everything behind the last confirmed place is sent.
        try source.rewind(to: 10)
        #expect(try await source.read(at: 10, count: length + 20).digest == sha256(bytes))
        try await source.checkUnchanged()
    }

    @Test("nothing is skipped backwards, nor behind the end, and a restart begins anew")
    func skipRefused() async throws {
        let bytes = testBytes(100)
        let source = try await self.source(bytes)
        _ = try await source.read(at: 0, count: 10)
        #expect(await failureCode { try await source.skip(to: 9) } == .internal)
        #expect(try await source.read(at: 10, count: 10).digest == sha256(bytes[..<20]))
        #expect(await failureCode { try await source.skip(to: 101) } == .sourceChanged)
        source.restart()
        try await source.skip(to: 100)
        #expect(try await source.read(at: 100, count: 0).digest == sha256(bytes))
    }

    @Test("a cancelled task skips nothing")
    func skipCancelled() async throws {
        let source = try await self.source(testBytes(100))
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await source.skip(to: 100)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await source.read(at: 0, count: 100).digest == sha256(testBytes(100)))
    }

    @Test("a prefix longer than the file is a changed source, and a restart begins anew")
    func longPrefix() async throws {
        let source = try await self.source(testBytes(100))
        #expect(await failureCode { _ = try await source.hashPrefix(101) } == .sourceChanged)
        source.restart()
        #expect(try await source.read(at: 0, count: 100).digest == sha256(testBytes(100)))
    }

    @Test("a cancelled task hashes no prefix")
    func cancelled() async throws {
        let source = try await self.source(testBytes(100))
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await source.hashPrefix(100)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("reading at another offset than the last end is refused")
    func misplaced() async throws {
        let source = try await self.source(testBytes(100))
        #expect(await failureCode { _ = try await source.read(at: 10, count: 10) } == .internal)
    }
}
