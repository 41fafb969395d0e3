import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A small file that is read whole")
struct LoadedFileTests {
    let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func opened(_ name: String) throws -> OpenedSource {
        try OpenedSource(SourceName(bytes: Array(self.folder(name).utf8)))
    }

    private func loaded(_ bytes: [UInt8]) throws -> LoadedFile {
        try self.folder.write(bytes, to: "x")
        var loader = FileLoader(limit: 32 << 10)
        return try loader.load(self.opened("x"))
    }

    @Test("one loader reads file after file, whatever their sizes")
    func sizes() throws {
        var loader = FileLoader(limit: 1000)
        for size in [1000, 0, 1, 999, 1000, 0] {
            try self.folder.write(testBytes(size, seed: UInt64(size)), to: "x")
            let file = try loader.load(self.opened("x"))
            #expect(Array(file.bytes.readableBytesView) == testBytes(size, seed: UInt64(size)))
            #expect(file.digest == sha256(testBytes(size, seed: UInt64(size))))
            #expect(file.attributes.size == UInt64(size))
        }
        #expect(try openDescriptors(below: self.folder.path) == 0)
    }

    @Test("a change between opening and reading is noticed", arguments: SourceFileChangeTests.Change.allCases)
    func change(_ change: SourceFileChangeTests.Change) async throws {
        try self.folder.write(testBytes(1000), to: "x")
        let code = await failureCode {
            var loader = FileLoader(limit: 2000)
            let opened = try self.opened("x")
            try change.apply(in: self.folder)
            _ = try loader.load(opened)
        }
        #expect(code == .sourceChanged)
    }

    @Test("a file of /proc, whose size is a lie, is a changed source")
    func proc() async throws {
        let root = SourceTree.Root(path: Array("/proc/self/status".utf8), destination: try path("x"))
        let entries = try await SourceTree(roots: [root]).all()
        guard case .failed(let error) = entries.first?.content else {
            Issue.record("not failed")
            return
        }
        #expect(error.code == .sourceChanged)
    }

    @Test("as a source it gives its bytes in chunks, forwards and after going back")
    func source() async throws {
        let bytes = testBytes(1000)
        let source = LoadedSource(try self.loaded(bytes))
        #expect(try await source.read(at: 0, count: 400).digest == sha256(bytes[..<400]))
        let chunk = try await source.read(at: 400, count: 600)
        #expect(Array(chunk.bytes.readableBytesView) == Array(bytes[400...]))
        #expect(chunk.digest == sha256(bytes))
        try source.rewind(to: 400)
        #expect(try await source.read(at: 400, count: 600).bytes == chunk.bytes)
        #expect(try source.hashPrefix(7) == sha256(bytes[..<7]))
        #expect(try await source.read(at: 7, count: 993).digest == sha256(bytes))
        source.restart()
        #expect(try await source.read(at: 0, count: 1000).bytes == ByteBuffer(bytes: bytes))
        #expect(try await source.read(at: 1000, count: 0).digest == sha256(bytes))
    }

    @Test("as a source it can be skipped in, and gone back from there")
    func skip() async throws {
        let bytes = testBytes(1000)
        let source = LoadedSource(try self.loaded(bytes))
        _ = try await source.read(at: 0, count: 10)
        try source.skip(to: 400)
        #expect(try await source.read(at: 400, count: 100).digest == sha256(bytes[..<500]))
        try source.skip(to: 1000)
        #expect(try await source.read(at: 1000, count: 0).digest == sha256(bytes))
        try source.rewind(to: 10)
        #expect(try await source.read(at: 10, count: 990).digest == sha256(bytes))
        #expect(await failureCode { try source.skip(to: 1001) } == .sourceChanged)
    }

    @Test("more than there is, and another offset than the last end, are refused")
    func refusals() async throws {
        let source = LoadedSource(try self.loaded(testBytes(10)))
        #expect(await failureCode { _ = try await source.read(at: 0, count: 11) } == .sourceChanged)
        #expect(await failureCode { _ = try await source.read(at: 1, count: 1) } == .internal)
        #expect(await failureCode { _ = try source.hashPrefix(11) } == .sourceChanged)
        #expect(await failureCode { try source.rewind(to: 11) } == .internal)
        #expect(try await source.read(at: 0, count: 10).digest == sha256(testBytes(10)))
    }
}
