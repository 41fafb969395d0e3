import Testing

@testable import FxferCLI

@Suite struct UserFoldersTests {
    private func folder(_ variable: String?, home: String?) -> String? {
        UserFolders.folder(
            named: variable.map { Array($0.utf8) },
            inHome: ".config",
            of: home.map { Array($0.utf8) }
        ).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("the variable counts, then the home; relative paths are ignored, as the XDG specification has it")
    func order() {
        #expect(self.folder("/x", home: "/home/a") == "/x/fxfer")
        #expect(self.folder(nil, home: "/home/a") == "/home/a/.config/fxfer")
        #expect(self.folder("", home: "/home/a") == "/home/a/.config/fxfer")
        #expect(self.folder("x", home: "/home/a") == "/home/a/.config/fxfer")
        #expect(self.folder("x", home: nil) == nil)
        #expect(self.folder(nil, home: "") == nil)
    }

    @Test("paths are bytes, not text")
    func bytes() {
        #expect(UserFolders.folder(named: [0x2F, 0xFF], inHome: "x", of: nil) == [0x2F, 0xFF] + Array("/fxfer".utf8))
    }
}
