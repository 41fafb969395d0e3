import FxferProtocol
import Testing

@testable import FxferStorage

@Suite("A hash trail")
struct HashTrailTests {
    private static func advance(_ trail: inout HashTrail, _ text: String) -> Digest {
        Array(text.utf8).withUnsafeBytes { trail.advance(over: $0) }
        return trail.mark()
    }

    private static func goesBack(_ trail: inout HashTrail, to offset: UInt64) -> Bool { trail.goBack(to: offset) }
    private static func mark(_ trail: inout HashTrail) -> Digest { trail.mark() }
    private static func offset(_ trail: borrowing HashTrail) -> UInt64 { trail.offset }

    @Test("going back to a remembered place gives that place's digest again")
    func back() {
        var trail = HashTrail()
        let first = Self.advance(&trail, "ab")
        #expect(Self.advance(&trail, "cd") == sha256("abcd".utf8))
        #expect(Self.goesBack(&trail, to: 2))
        #expect(Self.offset(trail) == 2)
        #expect(Self.mark(&trail) == first)
        #expect(Self.advance(&trail, "xy") == sha256("abxy".utf8))
        #expect(Self.goesBack(&trail, to: 0))
        #expect(Self.mark(&trail) == Digest.ofNothing)
    }

    @Test("places beyond the one gone back to are forgotten")
    func beyond() {
        var trail = HashTrail()
        _ = Self.advance(&trail, "ab")
        _ = Self.advance(&trail, "cd")
        #expect(Self.goesBack(&trail, to: 2))
        #expect(!Self.goesBack(&trail, to: 4))
    }

    @Test("places before a confirmed one are forgotten, that one is not")
    func forgotten() {
        var trail = HashTrail()
        _ = Self.advance(&trail, "ab")
        _ = Self.advance(&trail, "cd")
        trail.forget(before: 2)
        #expect(!Self.goesBack(&trail, to: 0))
        #expect(Self.goesBack(&trail, to: 2))
        trail.forget(before: .max)
        #expect(Self.goesBack(&trail, to: 2))
    }

    @Test("a restart begins anew, whatever was forgotten")
    func restart() {
        var trail = HashTrail()
        _ = Self.advance(&trail, "ab")
        trail.forget(before: 2)
        trail.restart()
        #expect(Self.offset(trail) == 0)
        #expect(Self.advance(&trail, "cd") == sha256("cd".utf8))
    }
}
