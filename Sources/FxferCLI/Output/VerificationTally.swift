import Fxfer

/// How often `verify` found what.
struct VerificationTally {
    private var changed = 0
    private var missing = 0
    private var unreadable = 0
    private var unknown = 0
    private var adopted = 0
    private var ledger = 0
    private var repaired = 0
    private var notRepaired = 0

    /// Whether nothing is wrong any more.
    var isFine: Bool {
        self.changed - self.repaired + self.missing + self.unreadable + self.unknown + self.ledger == 0
    }

    mutating func count(_ event: VerificationEvent) {
        switch event {
        case .changed: self.changed += 1
        case .missing: self.missing += 1
        case .unreadable: self.unreadable += 1
        case .unknown: self.unknown += 1
        case .adopted: self.adopted += 1
        case .ledger: self.ledger += 1
        case .repaired: self.repaired += 1
        case .notRepaired: self.notRepaired += 1
        case .began, .progress: break
        }
    }

    /// The last line.
    struct Summary: Encodable {
        let event = "verified"
        let files: Int
        let bytes: UInt64
        let changed: Int
        let missing: Int
        let unreadable: Int
        let unknown: Int
        let adopted: Int
        let ledger: Int
        let repaired: Int
        let notRepaired: Int

        var text: String {
            let counts = [
                (self.changed, "changed"), (self.repaired, "repaired"), (self.notRepaired, "not repaired"),
                (self.missing, "missing"),
                (self.unreadable, "unreadable"),
                (self.unknown, "unknown"), (self.adopted, "adopted"),
                (self.ledger, self.ledger == 1 ? "fault in the ledger" : "faults in the ledger"),
            ]
            let found = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
            let extent = "\(self.files) file\(self.files == 1 ? "" : "s"), \(HumanText.size(self.bytes))"
            return "\(extent): \(found.isEmpty ? "all as stored" : found)"
        }
    }

    func summary(files: Int, bytes: UInt64) -> Summary {
        Summary(
            files: files,
            bytes: bytes,
            changed: self.changed,
            missing: self.missing,
            unreadable: self.unreadable,
            unknown: self.unknown,
            adopted: self.adopted,
            ledger: self.ledger,
            repaired: self.repaired,
            notRepaired: self.notRepaired
        )
    }
}
