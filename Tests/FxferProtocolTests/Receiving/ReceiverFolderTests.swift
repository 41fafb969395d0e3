import FxferProtocol
import Testing

@Suite("Files beneath a folder that is offered after them")
struct ReceiverFolderTests {
    private static func path(_ text: String) throws -> RelativePath {
        try RelativePath(bytes: Array(text.utf8))
    }

    @Test("a file that may still be published keeps its folders waiting", arguments: ReceiverScript.FileState.allCases)
    func states(state: ReceiverScript.FileState) throws {
        let script = try ReceiverScript(fileIn: state, "d/e/a")
        let mayBePublished = ![.none, .abandoned, .refused, .gone].contains(state)
        #expect(try script.receiver.hasOpenFile(before: 2, beneath: Self.path("d")) == mayBePublished)
        #expect(try script.receiver.hasOpenFile(before: 2, beneath: Self.path("d/e")) == mayBePublished)
        #expect(try !script.receiver.hasOpenFile(before: 1, beneath: Self.path("d")))
    }

    @Test("files elsewhere and the folder itself do not", arguments: ["d/e/a", "d/e/ab", "d/e/a/b", "x", "e", "d/ee"])
    func elsewhere(folder: String) throws {
        let script = try ReceiverScript(fileIn: .receiving, "d/e/a")
        #expect(try !script.receiver.hasOpenFile(before: .max, beneath: Self.path(folder)))
    }

    @Test("what was offered behind the folder does not keep it waiting")
    func later() throws {
        var script = ReceiverScript()
        _ = try script.offer(3, "d/a")
        _ = try script.offer(5, "d/b")
        for (file, expected) in [(3, false), (4, true), (5, true), (6, true)] as [(FileID, Bool)] {
            #expect(try script.receiver.hasOpenFile(before: file, beneath: Self.path("d")) == expected)
        }
        #expect(try script.cancel(3) == .forget)
        #expect(try !script.receiver.hasOpenFile(before: 5, beneath: Self.path("d")))
        #expect(try script.receiver.hasOpenFile(before: 6, beneath: Self.path("d")))
    }
}
