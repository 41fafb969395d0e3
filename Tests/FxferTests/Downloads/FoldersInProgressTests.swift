import FxferProtocol
import Testing

@testable import Fxfer

@Suite("Folders that are set right after their contents")
struct FoldersInProgressTests {
    private static func folders(_ names: String...) throws -> FoldersInProgress {
        var folders = FoldersInProgress()
        for name in names { folders.add(try Download(to: name), FileAttributes(isFolder: true)) }
        return folders
    }

    private static func next(_ folders: inout FoldersInProgress, beside files: String...) throws -> String? {
        folders.nextToFinish(beside: try files.map { try Download(to: $0) })?.folder.destination.description
    }

    @Test("a folder waits for the files beneath it, however deep, and for no others")
    func waitsForFiles() throws {
        var folders = try Self.folders("d")
        #expect(try Self.next(&folders, beside: "x", "d/e/f/a") == nil)
        #expect(try Self.next(&folders, beside: "x", "da", "e/d") == "d")
        #expect(try Self.next(&folders) == nil)
        #expect(!folders.isEmpty)
        folders.finished(try Download(to: "d"))
        #expect(folders.isEmpty)
    }

    @Test("a folder waits for those beneath it, until they are finished")
    func waitsForFolders() throws {
        var folders = try Self.folders("d", "d/e", "d/e/f")
        for name in ["d/e/f", "d/e", "d"] {
            #expect(try Self.next(&folders) == name)
            #expect(try Self.next(&folders) == nil)
            folders.finished(try Download(to: name))
        }
        #expect(folders.isEmpty)
    }

    @Test("folders side by side are finished side by side")
    func sideBySide() throws {
        var folders = try Self.folders("a", "b", "c")
        #expect(try Self.next(&folders, beside: "a/x") == "b")
        #expect(try Self.next(&folders, beside: "a/x") == "c")
        #expect(try Self.next(&folders, beside: "a/x") == nil)
        #expect(try Self.next(&folders) == "a")
    }

    @Test("what was not begun can be taken out")
    func takeAll() throws {
        var folders = try Self.folders("d", "d/e")
        #expect(try Self.next(&folders) == "d/e")
        #expect(folders.takeAll().map(\.folder.destination.description) == ["d"])
        #expect(!folders.isEmpty)
        folders.finished(try Download(to: "d/e"))
        #expect(folders.isEmpty)
    }
}

extension Download {
    /// A download whose source has the same name.
    init(to name: String) throws {
        let path = try RelativePath(bytes: Array(name.utf8))
        self.init(path, to: path)
    }
}
