import FxferProtocol
import Testing

@Suite("Codes on the wire")
struct WireCodeTests {
    /// The table of the specification.
    static let table: [(number: UInt16, code: FxferError.Code)] = [
        (1, .protocolViolation), (2, .unsupportedVersion), (3, .limitExceeded), (4, .damaged), (5, .notPermitted),
        (6, .timedOut), (7, .shuttingDown), (8, .busy), (9, .internal), (32, .nameRefused), (33, .exists),
        (34, .cannotCreate), (35, .tooLarge), (36, .noSpace), (37, .io), (38, .sourceChanged), (39, .noInput),
        (40, .cancelled),
    ]

    @Test("a code travels as the number of the specification", arguments: Self.table)
    func numbers(number: UInt16, code: FxferError.Code) {
        #expect(WireCode(code).rawValue == number)
        #expect(WireCode(rawValue: number).errorCode == code)
    }

    @Test("a number that is not known is a protocol violation", arguments: [0, 10, 31, 42, .max] as [UInt16])
    func unknown(number: UInt16) {
        #expect(WireCode(rawValue: number).errorCode == .protocolViolation)
    }

    @Test("an error that has no number travels as an internal one")
    func untravelled() {
        #expect(WireCode(.usage).rawValue == 9)
        #expect(WireCode(.connectionLost).rawValue == 9)
    }

    @Test("a peer's message is escaped when it becomes an error")
    func message() {
        let failure = SessionFailure(code: WireCode(.busy), message: "a\u{1B}[2J\nb")
        #expect(failure.error.code == .busy)
        #expect(failure.error.message == #"a\x1b[2J\x0ab"#)
        let refusal = FileFailure(file: 1, code: WireCode(.noSpace), message: "\u{202E}")
        #expect(refusal.error.message == #"\xe2\x80\xae"#)
    }

    @Test("any error becomes one of the project's, a cancellation as such")
    func wrapping() {
        struct Strange: Error {}
        #expect(FxferError(wrapping: FxferError(.busy, "x")).code == .busy)
        #expect(FxferError(wrapping: CancellationError()).code == .cancelled)
        #expect(FxferError(wrapping: Strange()).code == .internal)
    }
}
