import NIOCore
import Testing

@testable import FxferNetwork

@Suite("an endpoint is written HOST:PORT")
struct EndpointTests {
    @Test(
        "hosts, ports and IPv6 addresses are told apart",
        arguments: [
            ("localhost", "localhost", 3000),
            ("example.org:4000", "example.org", 4000),
            ("192.0.2.1:1", "192.0.2.1", 1),
            ("[::1]:3001", "::1", 3001),
            ("[::1]", "::1", 3000),
            ("::1", "::1", 3000),
            ("2001:db8::7", "2001:db8::7", 3000),
        ]
    )
    func parses(text: String, host: String, port: Int) {
        #expect(Endpoint(parsing: text) == Endpoint(host: host, port: port))
    }

    @Test(
        "what is none is not taken",
        arguments: [
            "", ":3000", "host:", "host:0", "host:65536", "host:-1", "host:+1", "host:x", "[::1", "[]:3000", "a b",
            "[[a]", "[a", "a]:1", "a[:1",
        ]
    )
    func refuses(text: String) {
        #expect(Endpoint(parsing: text) == nil)
    }

    @Test("it is shown as it is written, an IPv4 address in IPv6 as IPv4")
    func shown() throws {
        #expect(Endpoint(host: "::1", port: 3000).description == "[::1]:3000")
        #expect(Endpoint(host: "localhost").description == "localhost:3000")
        #expect(Endpoint(try SocketAddress(ipAddress: "::ffff:127.0.0.1", port: 7)).description == "127.0.0.1:7")
        #expect(Endpoint(try SocketAddress(ipAddress: "::", port: 3000)).description == "[::]:3000")
    }

    @Test("an address is told from a name")
    func address() {
        for host in ["127.0.0.1", "::1", "fe80::1%eth0", "2001:db8::1"] {
            #expect(Endpoint(host: host, port: 1).isAddress)
        }
        for host in ["localhost", "example.org", "127.0.0.1.example.org", "a"] {
            #expect(!Endpoint(host: host, port: 1).isAddress)
        }
    }
}
