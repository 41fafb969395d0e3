import FxferProtocol
import Testing

@testable import FxferStorage

@Suite("A walk through what is sent")
struct SourceTreeTests {
    let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
        try self.folder.makeFolder("d")
    }

    @Test("names come in the order of their bytes, a folder after its contents, an empty one too")
    func order() async throws {
        try self.folder.makeFolder("d/b")
        try self.folder.makeFolder("d/b/empty")
        for name in ["d/c", "d/a", "d/b/x", "d/B", "d/ä", "d/a.b", "d/b/empty.txt"] {
            try self.folder.write(testBytes(10), to: name)
        }
        #expect(
            try await self.folder.walk("d") == [
                Walked(.loaded, "r/B"),
                Walked(.loaded, "r/a"),
                Walked(.loaded, "r/a.b"),
                Walked(.folder, "r/b/empty"),
                Walked(.loaded, "r/b/empty.txt"),
                Walked(.loaded, "r/b/x"),
                Walked(.folder, "r/b"),
                Walked(.loaded, "r/c"),
                Walked(.loaded, "r/ä"),
                Walked(.folder, "r"),
            ]
        )
    }

    @Test("the contents of a folder without a destination go right into the receiver's directory")
    func contentsOnly() async throws {
        try self.folder.makeFolder("d/b")
        try self.folder.write([1], to: "d/b/x")
        #expect(try await self.folder.walk("d", as: nil) == [Walked(.loaded, "b/x"), Walked(.folder, "b")])
    }

    @Test("small files come whole, with their digest, larger ones open, each with its attributes")
    func contents() async throws {
        try self.folder.write(testBytes(32 << 10), to: "d/a")
        try self.folder.write(testBytes(32 << 10 + 1), to: "d/b")
        try self.folder.setMode("d/a", 0o4640)
        try self.folder.setMode("d", 0o1750)
        let entries = try await self.folder.entries(of: "d", as: "r")
        try #require(entries.count == 3)
        guard case .loaded(let small, _) = entries[0].content, case .file(let large, _) = entries[1].content,
            case .folder(let attributes, _) = entries[2].content
        else {
            Issue.record("not a small file, a large one and the folder")
            return
        }
        #expect(Array(small.bytes.readableBytesView) == testBytes(32 << 10))
        #expect(small.digest == sha256(testBytes(32 << 10)))
        #expect(try small.attributes == self.folder.status(of: "d/a")?.attributes)
        #expect(small.attributes.permissions == 0o640)
        #expect(try await large.read(at: 0, count: 32 << 10 + 1).digest == sha256(testBytes(32 << 10 + 1)))
        #expect(attributes.isFolder)
        #expect(attributes.permissions == 0o750)
        #expect(try attributes.modified == self.folder.status(of: "d")?.stamp.modified)
        #expect(entries.map { $0.source } == ["d/a", "d/b", "d"].map { Array(self.folder($0).utf8) })
    }

    @Test("a slash at the end of the user's path is not doubled")
    func trailingSlash() async throws {
        try self.folder.write([1], to: "d/x")
        let entries = try await self.folder.entries(of: "d/", as: "r")
        #expect(entries.first?.source == Array(self.folder("d/x").utf8))
    }

    @Test("roots come in the order given: files, folders, links to them, and the walk goes on after a missing one")
    func roots() async throws {
        try self.folder.write([1], to: "x")
        try self.folder.makePipe("pipe")
        try self.folder.link("link", to: "d")
        let roots = try ["x", "missing", "pipe", "link"].map {
            SourceTree.Root(path: Array(self.folder($0).utf8), destination: try path($0))
        }
        let entries = try await SourceTree(roots: roots).all()
        try #require(entries.count == 4)
        let errors = entries.compactMap { if case .failed(let error) = $0.content { error } else { nil } }
        #expect(errors.map(\.code) == [.noInput, .noInput])
        #expect(errors.first?.message != errors.last?.message)
        guard case .loaded = entries[0].content, case .folder = entries[3].content else {
            Issue.record("not the file first and the folder last")
            return
        }
    }

    @Test("10,000 names come once each, in order, in batches of at most 64")
    func manyNames() async throws {
        let names = (0..<10_000).map { "n\($0)" }
        for name in names {
            try self.folder.write([], to: "d/\(name)")
        }
        let root = SourceTree.Root(path: Array(self.folder("d").utf8), destination: nil)
        let tree = SourceTree(roots: [root])
        var seen: [String] = []
        while case let batch = try await tree.next(), !batch.isEmpty {
            #expect(batch.count <= 64)
            for case .loaded(_, let path) in batch.map(\.content) {
                seen.append(path.description)
            }
        }
        #expect(seen == names.sorted())
    }

    @Test("a batch ends with an open file or half a mebibyte of loaded ones")
    func batches() async throws {
        for name in 0..<40 {
            try self.folder.write(testBytes(20_000), to: "d/a\(name)")
        }
        for name in ["b", "c"] {
            try self.folder.write(testBytes(40_000), to: "d/\(name)")
        }
        let root = SourceTree.Root(path: Array(self.folder("d").utf8), destination: nil)
        let tree = SourceTree(roots: [root])
        var counts: [Int] = []
        while case let batch = try await tree.next(), !batch.isEmpty {
            counts.append(batch.count)
        }
        #expect(counts == [27, 14, 1])
        #expect(try openDescriptors(below: self.folder.path) == 0)
    }

    @Test("a cancelled task gets no entries")
    func cancelled() async throws {
        let tree = SourceTree(roots: [SourceTree.Root(path: Array(self.folder("d").utf8), destination: nil)])
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await tree.next()
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("excluded names are not told of, an excluded folder is not entered, a root is always sent")
    func excludes() async throws {
        for name in ["d/build", "d/src", "d/src/build"] {
            try self.folder.makeFolder(name)
        }
        for name in ["d/a.o", "d/build/x", "d/src/a.o", "d/src/a.c", "d/src/build/y", "d/d"] {
            try self.folder.write([1], to: name)
        }
        let patterns = try ["*.o", "/build/", "d"].map { try ExcludePattern($0.utf8) }
        #expect(
            try await self.folder.walk("d", options: .init(excludes: patterns)) == [
                Walked(.loaded, "r/src/a.c"),
                Walked(.loaded, "r/src/build/y"),
                Walked(.folder, "r/src/build"),
                Walked(.folder, "r/src"),
                Walked(.folder, "r"),
            ]
        )
    }
}
