import Testing

@testable import FxferStorage

@Suite("The file creation mask")
struct FileCreationMaskTests {
    @Test("is taken from the line of /proc/self/status, in octal")
    func parsed() {
        #expect(FileCreationMask.parse("Name:\tfxfer\nUmask:\t0027\nState:\tR\n") == 0o027)
        #expect(FileCreationMask.parse("Name:\tUmask:\nState:\tR\n") == nil)
        #expect(FileCreationMask.parse("Umask:\tnone\n") == nil)
    }

    @Test("of this process is one that a process can have")
    func current() {
        #expect(FileCreationMask.current() <= 0o777)
    }
}
