/// The number by which a failure is named on the wire (REFUSE, CANCEL, ERROR): 16 bits, never reused.
///
/// Numbers below 32 end a connection, the others one file. A code that is not known here is kept as it came.
package struct WireCode: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }
}

extension WireCode {
    /// Every code of version 1 with the error that it stands for.
    static let table: [(number: UInt16, code: FxferError.Code)] = [
        (1, .protocolViolation),
        (2, .unsupportedVersion),
        (3, .limitExceeded),
        (4, .damaged),
        (5, .notPermitted),
        (6, .timedOut),
        (7, .shuttingDown),
        (8, .busy),
        (9, .internal),
        (32, .nameRefused),
        (33, .exists),
        (34, .cannotCreate),
        (35, .tooLarge),
        (36, .noSpace),
        (37, .io),
        (38, .sourceChanged),
        (39, .noInput),
        (40, .cancelled),
        (41, .isFolder),
    ]

    /// The number for an error of this side. What cannot travel is told as an internal error.
    package init(_ code: FxferError.Code) {
        self.init(rawValue: Self.table.first { $0.code == code }?.number ?? 9)
    }

    /// The kind of error that this number stands for; a number from a later version is a protocol violation.
    package var errorCode: FxferError.Code {
        Self.table.first { $0.number == self.rawValue }?.code ?? .protocolViolation
    }

    /// The error that a peer names by this number, in its own words where it has any.
    func error(saying message: String) -> FxferError {
        let words = EscapedText.words(message)
        return FxferError(self.errorCode, words.isEmpty ? "the peer gives no reason but code \(self.rawValue)" : words)
    }
}
