import FxferProtocol
import Testing

@testable import Fxfer

@Suite("What is still to be got")
struct DownloadQueueTests {
    private static let attributes = FileAttributes(isFolder: true)

    private static func path(_ text: String) throws -> RelativePath {
        try RelativePath(bytes: Array(text.utf8))
    }

    private static func entry(_ name: String, isFolder: Bool = false) -> ListedEntry {
        ListedEntry(
            Entry(
                listing: 1,
                kind: isFolder ? .folder : .file,
                permissions: 0o750,
                size: 1,
                modified: FileTime(seconds: 5, nanoseconds: 6),
                name: Array(name.utf8)
            )
        )
    }

    /// The next step by its kind and both names.
    private static func next(_ queue: inout DownloadQueue) -> String? {
        switch queue.next() {
        case nil: nil
        case .get(let download): "get \(download.source) \(download.destination)"
        case .list(let download, _): "list \(download.source) \(download.destination)"
        case .finish(let download, _): "finish \(download.source) \(download.destination)"
        case .refused(let file, let error): "\(error.code.rawValue) \(EscapedText.escape(file.source))"
        }
    }

    @Test("names come in their order; a folder's contents come before the next name, and then the folder itself")
    func order() throws {
        var queue = DownloadQueue([Download(try Self.path("s/d"), to: try Self.path("t")), try Download(to: "z")])
        #expect(Self.next(&queue) == "get s/d t")
        let folder = Download(try Self.path("s/d"), to: try Self.path("t"))
        let entries = [Self.entry("a"), Self.entry("e", isFolder: true), Self.entry("f")]
        queue.open(folder, Self.attributes, entries)
        #expect(Self.next(&queue) == "get s/d/a t/a")
        #expect(Self.next(&queue) == "list s/d/e t/e")
        queue.open(Download(try Self.path("s/d/e"), to: try Self.path("t/e")), Self.attributes, [])
        #expect(Self.next(&queue) == "finish s/d/e t/e")
        #expect(Self.next(&queue) == "get s/d/f t/f")
        #expect(Self.next(&queue) == "finish s/d t")
        #expect(Self.next(&queue) == "get z z")
        #expect(Self.next(&queue) == nil)
        #expect(queue.isEmpty)
    }

    @Test("what is put back comes first")
    func putBack() throws {
        var queue = DownloadQueue([try Download(to: "a"), try Download(to: "b")])
        let next = queue.next()
        let first = try #require(next)
        queue.putBack(first)
        #expect(Self.next(&queue) == "get a a")
        #expect(Self.next(&queue) == "get b b")
    }

    @Test("a folder in a listing is listed with the attributes that it has there")
    func attributes() throws {
        var queue = DownloadQueue([])
        queue.open(try Download(to: "d"), Self.attributes, [Self.entry("e", isFolder: true)])
        guard case .list(_, let attributes) = queue.next() else {
            Issue.record("the folder is not listed")
            return
        }
        let modified = FileTime(seconds: 5, nanoseconds: 6)
        #expect(attributes == FileAttributes(modified: modified, permissions: 0o750, isFolder: true))
    }

    @Test("a name that is too long or too deep here is refused in its turn")
    func refused() throws {
        let deep = try Self.path(Array(repeating: "d", count: 64).joined(separator: "/"))
        var queue = DownloadQueue([])
        queue.open(Download(try Self.path("d"), to: deep), Self.attributes, [Self.entry("a"), Self.entry("b")])
        #expect(Self.next(&queue) == "name-refused d/a")
        #expect(Self.next(&queue) == "name-refused d/b")

        let name = String(repeating: "x", count: 255)
        let long = try Self.path(Array(repeating: name, count: 15).joined(separator: "/") + "/" + name)
        queue.open(Download(try Self.path("e"), to: long), Self.attributes, [Self.entry("a")])
        #expect(Self.next(&queue) == "name-refused e/a")
    }

    @Test("all that is left can be given up, in its order, and of a folder that was begun the folder")
    func abandon() throws {
        var queue = DownloadQueue([try Download(to: "z")])
        queue.open(try Download(to: "d"), Self.attributes, [Self.entry("a"), Self.entry("e", isFolder: true)])
        #expect(Self.next(&queue) == "get d/a d/a")
        #expect(queue.abandon().map(\.source) == [Array("d".utf8), Array("z".utf8)])
        #expect(queue.isEmpty)
    }
}
