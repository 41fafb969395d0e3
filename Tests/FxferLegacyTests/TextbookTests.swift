import Testing

@testable import FxferLegacy

@Suite("The textbook's constants")
struct TextbookTests {
    @Test(
        "each fixed text is the textbook's, without an end of line",
        arguments: [
            (Textbook.greeting, "Got your connection"),
            (Textbook.fileRequest, "Client connected"),
            (Textbook.fileTrailer, "Thank you for connecting"),
            (Textbook.echoGreeting, "Connect"),
            (Textbook.echoPrefix, "Server replies: "),
            (Textbook.farewell, "windup"),
        ]
    )
    func texts(bytes: [UInt8], text: String) {
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test("ports, read sizes and file names are the textbook's")
    func numbers() {
        #expect(Textbook.Port.greeting == 12357)
        #expect(Textbook.Port.file == 3000)
        #expect(Textbook.Port.echo == 1234)
        #expect(Textbook.Port.chat == 1000)
        #expect(Textbook.ReadSize.short == 1024)
        #expect(Textbook.ReadSize.long == 2048)
        #expect(Textbook.servedFile == "pjfile1.txt")
        #expect(Textbook.receivedFile == "pjrecfile")
    }
}
