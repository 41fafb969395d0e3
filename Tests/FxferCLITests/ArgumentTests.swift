import Fxfer
import FxferProtocol
import Testing

@testable import FxferCLI

@Suite("destinations and addresses on the command line")
struct ArgumentTests {
    @Test("a destination is a host, a port and a folder")
    func destination() throws {
        let destination = try Destination(RawArgument(text: "[::1]:4000/a/b/"))
        #expect(destination.endpoint == Endpoint(host: "::1", port: 4000))
        #expect(destination.folder?.bytes == Array("a/b".utf8))
        #expect(try Destination(RawArgument(text: "host")).folder == nil)
        #expect(try Destination(RawArgument(text: "host/")).folder == nil)
    }

    @Test(
        "a destination that makes no sense is a usage error",
        arguments: ["", "/folder", ":1", "host:x", "host/../x", "host/a//b", "host//", "host/.fxfer"]
    )
    func badDestination(text: String) {
        let error = #expect(throws: FxferError.self) { try Destination(RawArgument(text: text)) }
        #expect(error?.code == .usage)
    }

    @Test(
        "a listening address is a port with or without an address",
        arguments: [
            ("0", nil, 0), ("3000", nil, 3000), ("127.0.0.1:0", "127.0.0.1", 0), ("[::1]:8", "::1", 8), (":9", nil, 9),
        ] as [(String, String?, Int)]
    )
    func listen(text: String, address: String?, port: Int) {
        let listen = ListenAddress(argument: text)
        #expect(listen?.port == port)
        #expect(listen?.address == address)
        #expect(listen?.isPortAlone == !text.contains(":"))
    }

    @Test(
        "a listening address that makes no sense is not taken",
        arguments: ["", "x", "1.2.3.4", "a:", "::1:3000", "65536"]
    )
    func badListen(text: String) {
        #expect(ListenAddress(argument: text) == nil)
    }

    @Test("every kind of failure has its exit status, and none is success", arguments: FxferError.Code.allCases)
    func statuses(code: FxferError.Code) {
        #expect((64...77).contains(ExitStatus.status(for: code)))
    }
}
