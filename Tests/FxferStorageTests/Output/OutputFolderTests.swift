import FxferProtocol
import Glibc
import Testing

@testable import FxferStorage

@Suite("Small files in a folder that a user named")
struct OutputFolderTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func open(_ name: String) throws -> OutputFolder {
        try OutputFolder(path: Array(self.folder(name).utf8))
    }

    private func file(_ path: String, _ content: [UInt8]) throws -> OutputFolder.File {
        OutputFolder.File(try RelativePath(bytes: Array(path.utf8)), content)
    }

    @Test("files appear whole, with the folders that they need, and nothing else does")
    func write() throws {
        let output = try self.open("new/out")
        let results = output.write([
            [try self.file("a", [1]), try self.file("d/e/b", [2, 3])], [try self.file("d/c", [])], [],
        ])
        #expect(results.map { $0?.code } == [nil, nil, nil])
        #expect(try self.folder.bytes(of: "new/out/a") == [1])
        #expect(try self.folder.bytes(of: "new/out/d/e/b") == [2, 3])
        #expect(try self.folder.bytes(of: "new/out/d/c") == [])
        #expect(try self.folder.names(in: "new/out") == ["a", "d"])
        #expect(try self.folder.names(in: "new/out/d") == ["c", "e"])
    }

    @Test("of many files at once each has its own result", arguments: [1, 7, 8, 9, 100])
    func many(count: Int) throws {
        try self.folder.write([7], to: "f")
        let output = try self.open(".")
        let groups = try (0..<count).map { number in
            [try self.file(number.isMultiple(of: 3) ? "f/\(number)" : "d\(number % 2)/\(number)", [UInt8(number)])]
        }
        for (number, error) in output.write(groups).enumerated() {
            #expect((error == nil) == !number.isMultiple(of: 3), "file \(number)")
            guard error == nil else { continue }
            #expect(try self.folder.bytes(of: "d\(number % 2)/\(number)") == [UInt8(number)])
        }
        #expect(try self.folder.bytes(of: "f") == [7])
    }

    @Test("a file of the same name is replaced, and so is a link, not what it leads to")
    func replace() throws {
        try self.folder.write([9], to: "target")
        try self.folder.write([8], to: "a")
        try self.folder.link("b", to: "target")
        let output = try self.open(".")
        #expect(output.write([[try self.file("a", [1])], [try self.file("b", [2])]]).map { $0?.code } == [nil, nil])
        #expect(try self.folder.bytes(of: "a") == [1])
        #expect(try self.folder.bytes(of: "b") == [2])
        #expect(try self.folder.bytes(of: "target") == [9])
    }

    @Test("no folder is reached through a link, and the others are written")
    func link() throws {
        try self.folder.makeFolder("out")
        try self.folder.makeFolder("elsewhere")
        try self.folder.link("out/d", to: self.folder("elsewhere"))
        let output = try self.open("out")
        let results = output.write([[try self.file("d/a", [1])], [try self.file("b", [2])]])
        #expect(results.map { $0?.code } == [.cannotCreate, nil])
        #expect(try self.folder.names(in: "elsewhere") == [])
        #expect(try self.folder.names(in: "out") == ["b", "d"])
    }

    @Test("what cannot be replaced stays, and nothing is left beside it")
    func folderInTheWay() throws {
        try self.folder.makeFolder("a")
        try self.folder.write([7], to: "f")
        let output = try self.open(".")
        #expect(output.write([[try self.file("a", [1])], [try self.file("f/b", [2])]]).allSatisfy { $0 != nil })
        #expect(try self.folder.names() == ["a", "f"])
        #expect(try self.folder.bytes(of: "f") == [7])
    }

    @Test("where one of a group cannot be written, none of them is", arguments: ["f/b", "link/b"])
    func group(path: String) throws {
        try self.folder.write([7], to: "f")
        try self.folder.write([8], to: "a")
        try self.folder.link("link", to: self.folder.path)
        let output = try self.open(".")
        #expect(
            output.write([[try self.file("a", [1]), try self.file(path, [2])]]).map { $0?.code } == [.cannotCreate]
        )
        #expect(try self.folder.names() == ["a", "f", "link"])
        #expect(try self.folder.bytes(of: "a") == [8])
    }

    @Test("a path that cannot be that of a folder is refused", arguments: ["", "file", "file/below", "\0"])
    func noFolder(name: String) throws {
        try self.folder.write([1], to: "file")
        let path = name.isEmpty ? [] : Array(self.folder(name).utf8)
        let error = #expect(throws: FxferError.self) { try OutputFolder(path: path) }
        #expect(error?.code == .io)
        #expect(try self.folder.names() == ["file"])
    }
}
