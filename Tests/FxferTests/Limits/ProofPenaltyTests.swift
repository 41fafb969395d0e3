import FxferNetwork
import FxferProtocol
import NIOCore
import Testing

@testable import Fxfer

@Suite("failed proofs slow an address down")
struct ProofPenaltyTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private static let late = Self.start + .hours(1)

    private static func penalty(failures: Int) -> ProofPenalty {
        var penalty = ProofPenalty(now: Self.start)
        for _ in 0..<failures { penalty.failed(now: Self.start) }
        return penalty
    }

    @Test(
        "the pause doubles with each failure, from 0.1 to 2 seconds",
        arguments: zip([0, 1, 2, 3, 4, 5, 6, 7, 1000], [0, 100, 200, 400, 800, 1600, 2000, 2000, 2000] as [Int64])
    )
    func pauses(failures: Int, milliseconds: Int64) {
        var penalty = Self.penalty(failures: failures)
        #expect(penalty.takeSlot(now: Self.start, deadline: Self.late) == .milliseconds(milliseconds))
    }

    @Test("attempts at once stand in line")
    func line() {
        var penalty = Self.penalty(failures: 2)
        let delays = (0..<4).map { _ in penalty.takeSlot(now: Self.start, deadline: Self.late) }
        #expect(delays == [200, 400, 600, 800].map { .milliseconds($0) })
        #expect(penalty.takeSlot(now: Self.start + .seconds(5), deadline: Self.late) == .milliseconds(200))
    }

    @Test("a slot beyond the deadline is refused, and not taken")
    func deadline() {
        var penalty = Self.penalty(failures: 5)
        #expect(penalty.takeSlot(now: Self.start, deadline: Self.start + .seconds(2)) == .milliseconds(1600))
        #expect(penalty.takeSlot(now: Self.start, deadline: Self.start + .seconds(2)) == nil)
        #expect(penalty.takeSlot(now: Self.start, deadline: Self.late) == .milliseconds(3200))
    }

    private static let address = Self.block("198.51.100.7")

    private static func block(_ text: String) -> AddressBlock {
        AddressBlock(try? SocketAddress(ipAddress: text, port: 1))
    }

    @Test("an address pays for its own failures, for 60 seconds after the last")
    func memory() throws {
        let penalties = AddressPenalties()
        #expect(try penalties.delay(for: Self.address, now: Self.start, deadline: Self.late) == .zero)
        penalties.failed(Self.address, now: Self.start)
        penalties.failed(Self.address, now: Self.start + .seconds(10))
        let other = Self.block("198.51.100.8")
        #expect(try penalties.delay(for: other, now: Self.start + .seconds(10), deadline: Self.late) == .zero)
        let now = Self.start + .seconds(69)
        #expect(try penalties.delay(for: Self.address, now: now, deadline: Self.late) == .milliseconds(200))
        let later = Self.start + .seconds(70)
        #expect(try penalties.delay(for: Self.address, now: later, deadline: Self.late) == .zero)
        penalties.failed(Self.address, now: later)
        #expect(try penalties.delay(for: Self.address, now: later, deadline: Self.late) == .milliseconds(100))
    }

    @Test("who has no time to wait is told that it is busy")
    func busy() throws {
        let penalties = AddressPenalties()
        penalties.failed(Self.address, now: Self.start)
        let error = #expect(throws: FxferError.self) {
            try penalties.delay(for: Self.address, now: Self.start, deadline: Self.start + .milliseconds(99))
        }
        #expect(error?.code == .busy)
    }

    @Test("a network of IPv6 pays together")
    func network() throws {
        let penalties = AddressPenalties()
        penalties.failed(Self.block("2001:db8::1"), now: Self.start)
        let neighbour = Self.block("2001:db8::ffff:2")
        #expect(try penalties.delay(for: neighbour, now: Self.start, deadline: Self.late) == .milliseconds(100))
    }

    @Test("as many addresses are remembered as there is room for, and the oldest goes")
    func bounds() throws {
        let penalties = AddressPenalties(limit: 3)
        for number in 1...4 {
            penalties.failed(Self.block("192.0.2.\(number)"), now: Self.start + .seconds(Int64(number)))
        }
        #expect(penalties.count == 3)
        let now = Self.start + .seconds(5)
        let delays = try (1...4).map { number in
            try penalties.delay(for: Self.block("192.0.2.\(number)"), now: now, deadline: Self.late)
        }
        #expect(delays == [.zero] + Array(repeating: .milliseconds(100), count: 3))
    }
}
