import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("Giving files of a directory")
struct DirectorySharingTests {
    /// A directory with one of each kind, at the top and in `d`; `secret` is outside.
    private static func subject() async throws -> DirectoryUnderTest {
        let subject = try await DirectoryUnderTest()
        let folder = subject.folder
        try folder.write([1, 2, 3], to: "a")
        try folder.makeFolder("d")
        try folder.write([4], to: "d/b")
        try folder.makeFolder("d/.fxfer")
        try folder.write([5], to: "d/.fxfer/c")
        for prefix in ["", "d/"] {
            try folder.link("\(prefix)to-file", to: "/etc/passwd")
            try folder.link("\(prefix)to-folder", to: "/etc")
            try folder.link("\(prefix)to-neighbour", to: "a")
            try folder.link("\(prefix)dangling", to: "nothing")
            try folder.makePipe("\(prefix)pipe")
            try folder.write([6], to: "\(prefix)line\nfeed")
        }
        return subject
    }

    @Test("a small file is given whole, with its attributes")
    func small() async throws {
        let subject = try await Self.subject()
        guard case .loaded(let file) = try await subject.store.open(path("d/b")) else { throw UnexpectedStaging() }
        #expect(Array(file.bytes.readableBytesView) == [4])
        #expect(file.digest == sha256([4]))
        #expect(file.attributes.size == 1)
        #expect(file.attributes.permissions == 0o644)
        #expect(!file.attributes.isFolder)
    }

    @Test("a file is read in parts from 32 KiB on", arguments: [32_768, 32_769])
    func large(size: Int) async throws {
        let subject = try await Self.subject()
        try subject.folder.write(testBytes(size), to: "large")
        let content = try await subject.store.open(path("large"))
        #expect(content.attributes.size == UInt64(size))
        switch content {
        case .loaded(let file):
            #expect(size == 32_768)
            #expect(file.digest == sha256(testBytes(size)))
        case .file(let file):
            #expect(size == 32_769)
            #expect(try await file.read(at: 0, count: size).digest == sha256(testBytes(size)))
        }
    }

    @Test("a folder is told as such", arguments: ["d", "d/.fxfer"])
    func folder(name: String) async throws {
        let subject = try await Self.subject()
        #expect(await failureCode { _ = try await subject.store.open(path(name)) } == .isFolder)
    }

    @Test(
        "links, special files and what is not there are not given",
        arguments: [
            "to-file", "to-folder", "to-neighbour", "dangling", "pipe", "d/to-neighbour", "d/pipe", "none", "d/none",
            "none/a", "a/b", "to-folder/passwd", "d/to-folder/passwd",
        ]
    )
    func notGiven(name: String) async throws {
        let subject = try await Self.subject()
        #expect(await failureCode { _ = try await subject.store.open(path(name)) } == .noInput)
        #expect(try openDescriptors(below: subject.folder("d")) == 0)
    }

    private static func names(_ store: DirectoryStore, _ folder: RelativePath?) async throws -> [String] {
        let listing = try await store.list(folder)
        var names: [String] = []
        while true {
            let entries = try await listing.next()
            guard !entries.isEmpty else { return names }
            names += entries.map { String(decoding: $0.name, as: UTF8.self) + ($0.isFolder ? "/" : "") }
        }
    }

    @Test("a listing has files and folders, but not the server's own one, links, special files and bad names")
    func listing() async throws {
        let subject = try await Self.subject()
        #expect(try await Self.names(subject.store, nil) == ["a", "d/"])
        #expect(try await Self.names(subject.store, path("d")) == [".fxfer/", "b"])
        #expect(try await Self.names(subject.store, path("d/.fxfer")) == ["c"])
    }

    @Test("a listing says what each is like")
    func attributes() async throws {
        let subject = try await Self.subject()
        try subject.folder.setMode("a", 0o640)
        let entries = try await subject.store.list(nil).next()
        let file = try #require(entries.first)
        let status = try #require(try subject.folder.status(of: "a"))
        #expect(file.permissions == 0o640)
        #expect(file.size == 3)
        #expect(file.modified == status.stamp.modified)
        #expect(entries.last?.isFolder == true)
        #expect(entries.last?.size == 0)
    }

    @Test("names are in the order of their bytes, however many there are")
    func order() async throws {
        let subject = try await DirectoryUnderTest()
        let names = (0..<600).map { "n\($0)" } + ["Z", "é", "z", "-"]
        for name in names { try subject.folder.write([], to: name) }
        let expected = names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        #expect(try await Self.names(subject.store, nil) == expected)
    }

    @Test(
        "what is no folder cannot be listed",
        arguments: ["a", "none", "to-folder", "d/to-folder", "to-file", "pipe", "dangling"]
    )
    func noFolder(name: String) async throws {
        let subject = try await Self.subject()
        #expect(await failureCode { _ = try await subject.store.list(path(name)) } == .noInput)
    }

    @Test("an empty folder is listed as such, also where all in it is left out")
    func empty() async throws {
        let subject = try await DirectoryUnderTest()
        #expect(try await Self.names(subject.store, nil) == [])
        try subject.folder.makeFolder("d")
        for number in 0..<300 { try subject.folder.link("d/\(number)", to: "x") }
        #expect(try await Self.names(subject.store, path("d")) == [])
    }
}
