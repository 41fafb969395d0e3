import NIOCore
import Testing

@testable import FxferNetwork

@Suite("addresses with one owner")
struct AddressBlockTests {
    @Test(
        "are told from those of others",
        arguments: [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
            ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("2001:db8::1", "192.0.2.1", false),
        ]
    )
    func blocks(one: String, other: String, isSame: Bool) throws {
        let blocks = try [one, other].map { AddressBlock(try SocketAddress(ipAddress: $0, port: 1)) }
        #expect((blocks[0] == blocks[1]) == isSame)
    }

    @Test("an address that is not known has a block, too")
    func unknown() throws {
        #expect(AddressBlock(nil) == AddressBlock(nil))
        #expect(AddressBlock(nil) != AddressBlock(try SocketAddress(ipAddress: "0.0.0.0", port: 1)))
    }
}
