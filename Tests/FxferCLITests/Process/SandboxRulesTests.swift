import Glibc
import Testing

@testable import FxferCLI

@Suite("The rules of a sandbox")
struct SandboxRulesTests {
    private func folders(of file: String) -> [String] {
        var rules = SandboxRules()
        rules.allowReading(file: Array(file.utf8))
        return rules.reading.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "let a file be read by its folder",
        arguments: [("no-such-file", "."), ("/no-such-file", "/"), ("a/b", "a"), ("/a/b/c", "/a/b"), ("a//b", "a/")]
    )
    func folder(file: String, folder: String) {
        #expect(self.folders(of: file) == [folder])
    }

    @Test("let a link be read by its own folder and by that of the file to which it leads")
    func link() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        for name in ["here", "there"] { mkdir(folder.path(of: name), 0o700) }
        close(open(folder.path(of: "there/file"), O_WRONLY | O_CREAT, 0o600))
        try #require(symlink("../there/file", folder.path(of: "here/link")) == 0)
        #expect(self.folders(of: folder.path(of: "here/link")) == ["here", "there"].map(folder.path(of:)))
    }
}
