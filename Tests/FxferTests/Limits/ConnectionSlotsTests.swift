import FxferNetwork
import NIOCore
import Testing

@testable import Fxfer

@Suite("places for connections")
struct ConnectionSlotsTests {
    private static let one = Self.address("192.0.2.1")
    private static let two = Self.address("192.0.2.2")
    private var slots = ConnectionSlots(maxConnections: 3, maxPerAddress: 2, maxLingering: 1)

    private static func address(_ text: String) -> AddressBlock {
        AddressBlock(try? SocketAddress(ipAddress: text, port: 1))
    }

    private mutating func enterAdmitted(_ address: AddressBlock) -> ConnectionSlots.Number {
        let (number, _) = self.slots.enter(address)
        #expect(self.slots.admit(number) == true)
        return number
    }

    @Test("as many as fit are served")
    mutating func room() {
        #expect(self.slots.enter(Self.one) == (1, .served))
        #expect(self.slots.enter(Self.one) == (2, .served))
        #expect(self.slots.enter(Self.two) == (3, .served))
        #expect(self.slots.count == 3)
    }

    @Test("the oldest that was not admitted makes room, of the address whose limit is reached")
    mutating func makesRoomOfAddress() {
        _ = self.slots.enter(Self.two)
        _ = self.enterAdmitted(Self.one)
        _ = self.slots.enter(Self.one)
        #expect(self.slots.enter(Self.one) == (4, .servedInstead(of: 3, .address, mayLinger: true)))
        #expect(self.slots.admit(3) == false)
        #expect(self.slots.admit(4) == true)
        #expect(self.slots.count == 3)
    }

    @Test("the oldest that was not admitted makes room, of all where that limit is reached")
    mutating func makesRoomOfAll() {
        _ = self.slots.enter(Self.two)
        _ = self.slots.enter(Self.one)
        _ = self.slots.enter(Self.one)
        let third = Self.address("192.0.2.3")
        #expect(self.slots.enter(third) == (4, .servedInstead(of: 1, .all, mayLinger: true)))
        #expect(self.slots.count == 3)
    }

    @Test("where all were admitted a newcomer is turned away, and told which limit is reached")
    mutating func turnedAway() {
        _ = self.enterAdmitted(Self.one)
        _ = self.enterAdmitted(Self.one)
        #expect(self.slots.enter(Self.one) == (3, .turnedAway(.address, mayLinger: true)))
        _ = self.enterAdmitted(Self.two)
        #expect(self.slots.enter(Self.two) == (5, .turnedAway(.all, mayLinger: false)))
        #expect(self.slots.admit(5) == false)
        #expect(self.slots.count == 3)
    }

    @Test("one that leaves gives its place back, and its right to linger")
    mutating func leaving() {
        let first = self.enterAdmitted(Self.one)
        _ = self.enterAdmitted(Self.one)
        #expect(self.slots.enter(Self.one) == (3, .turnedAway(.address, mayLinger: true)))
        self.slots.leave(3)
        #expect(self.slots.enter(Self.one) == (4, .turnedAway(.address, mayLinger: true)))
        self.slots.leave(first)
        self.slots.leave(first)
        #expect(self.slots.count == 1)
        #expect(self.slots.enter(Self.one) == (5, .served))
        #expect(self.slots.enter(Self.one) == (6, .servedInstead(of: 5, .address, mayLinger: false)))
    }
}
