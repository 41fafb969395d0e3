import FxferProtocol
import Testing

@testable import Fxfer

@Suite("Folders that the server does not have yet")
struct NewFoldersTests {
    private static func path(_ text: String) throws -> RelativePath {
        try RelativePath(bytes: Array(text.utf8))
    }

    private static func told(_ path: String, _ length: UInt16?) throws -> NewFolders {
        var folders = NewFolders()
        folders.noteAnswer(for: try Self.path(path), newFolderLength: length)
        return folders
    }

    @Test("what is beneath a new folder need not be asked for, and nothing else")
    func contains() throws {
        let folders = try Self.told("top/new/a", 7)
        for name in ["top/new/b", "top/new/d/e"] {
            #expect(try folders.contain(Self.path(name)), "\(name)")
        }
        for name in ["top/new", "top/newer/a", "top/b", "new/b"] {
            #expect(try !folders.contain(Self.path(name)), "\(name)")
        }
    }

    @Test(
        "a length that leads to no folder above the path is not believed",
        arguments: [nil, 0, 1, 2, 4, 6, 8, 9, 10, .max] as [UInt16?]
    )
    func wrongLength(length: UInt16?) throws {
        let folders = try Self.told("top/new/a", length)
        for name in ["top/new/b", "top/b", "t/b", "to/b", "top/new/a/b"] {
            #expect(try !folders.contain(Self.path(name)), "\(name)")
        }
    }

    @Test("the topmost folder stays where one in it is told, too; another takes its place")
    func remembers() throws {
        var folders = try Self.told("a/b/c", 1)
        folders.noteAnswer(for: try Self.path("a/b/c"), newFolderLength: 3)
        #expect(try folders.contain(Self.path("a/x")))
        folders.noteAnswer(for: try Self.path("z/c"), newFolderLength: 1)
        #expect(try folders.contain(Self.path("z/x")))
        #expect(try !folders.contain(Self.path("a/x")))
        folders.noteAnswer(for: try Self.path("y/c"), newFolderLength: nil)
        #expect(try folders.contain(Self.path("z/x")))
    }

    @Test("the first question is worth waiting for, until it is answered")
    func first() throws {
        var folders = NewFolders()
        #expect(!folders.isAskingFirst)
        folders.noteAsked()
        #expect(folders.isAskingFirst)
        folders.noteAnswer(for: try Self.path("a"), newFolderLength: nil)
        #expect(!folders.isAskingFirst)
        folders.noteAsked()
        #expect(!folders.isAskingFirst)
    }
}
