import NIOCore

/// The smallest range of addresses that has one owner: an IPv4 address, or a network of 64 bits of IPv6, within which a
/// host may take as many addresses as it likes.
package struct AddressBlock: Hashable, Sendable {
    /// 4 or 8 bytes; none for addresses that are not of the internet.
    private let bytes: [UInt8]

    /// The block of an address; one that is not known, or not of the internet, has a block of its own kind.
    package init(_ address: SocketAddress?) {
        let bytes = address.flatMap(SameMachine.addressBytes) ?? []
        self.bytes = bytes.count == 16 ? Array(bytes[..<8]) : bytes
    }
}
