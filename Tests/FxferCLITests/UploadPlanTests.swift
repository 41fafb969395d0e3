import Fxfer
import FxferProtocol
import Testing

@testable import FxferCLI

@Suite("which file gets which name at the server")
struct UploadPlanTests {
    private static func names(
        _ sources: [String],
        into folder: String? = nil,
        as name: String? = nil
    ) throws -> [String?] {
        let sources = sources.map { Upload.Source(RawArgument(text: $0)) }
        let folder = try folder.map { try RelativePath(bytes: Array($0.utf8)) }
        let uploads = try UploadPlan.uploads(of: sources, into: folder, as: name.map { Array($0.utf8) })
        #expect(uploads.map(\.source) == sources)
        return uploads.map { $0.destination?.description }
    }

    @Test(
        "a source is named after its last component, below the folder",
        arguments: [
            ("/x/y", "y"), ("z", "z"), ("d/", "d"), ("d///", "d"), ("./a", "a"), ("../b/c", "c"), ("a/./b", "b"),
            ("...", "..."), (".hidden", ".hidden"), ("./-", "-"),
        ]
    )
    func last(source: String, name: String) throws {
        #expect(try Self.names([source]) == [name])
        #expect(try Self.names([source], into: "a/b") == ["a/b/\(name)"])
    }

    @Test(
        "the contents of what has no name go into the folder itself",
        arguments: [".", "..", "./", "../", "a/..", "../..", "/", "//", "a/."]
    )
    func noName(source: String) throws {
        #expect(try Self.names([source]) == [nil])
        #expect(try Self.names([source], into: "a/b") == ["a/b"])
        #expect(try Self.names([source], into: "a", as: "n") == ["a/n"])
    }

    @Test("a name that is given counts, also below a folder")
    func given() throws {
        #expect(try Self.names(["z"], as: "new") == ["new"])
        #expect(try Self.names(["z"], into: "a", as: "b/new") == ["a/b/new"])
        #expect(try Self.names(["-"], as: "new") == ["new"])
        #expect(try Self.names(["-"], into: "a", as: "new") == ["a/new"])
    }

    @Test("'-' is standard input, and './-' a file")
    func standardInput() {
        #expect(Upload.Source(RawArgument(text: "-")) == .standardInput)
        #expect(Upload.Source(RawArgument(text: "./-")) == .path(Array("./-".utf8)))
        #expect(Upload.Source(RawArgument(text: "--")) == .path(Array("--".utf8)))
    }

    @Test(
        "names that are missing, bad or taken twice are a usage error",
        arguments: [
            (["-"], nil), ([""], nil), (["a/f", "b/f"], nil), (["a", "a"], nil), (["d", "e/d/"], nil),
            (["a", "b"], "new"), (["a"], ""), (["a"], "../x"), (["a"], "/x"), (["a"], "x/"), ([".fxfer"], nil),
            (["a\nb"], nil), ([String(repeating: "x", count: 256)], nil),
        ] as [([String], String?)]
    )
    func usage(sources: [String], name: String?) {
        let error = #expect(throws: FxferError.self) { try Self.names(sources, as: name) }
        #expect(error?.code == .usage)
    }

    @Test("what is expected of the content goes with each upload")
    func expected() throws {
        let expected = ExpectedContent(size: 3)
        let uploads = try UploadPlan.uploads(of: [.path([0x61])], into: nil, expecting: expected)
        #expect(uploads.map(\.expected) == [expected])
    }
}
