import Fxfer
import FxferProtocol

/// A line of `partials`.
struct PartialLine {
    private let partial: KeptPartial

    init(_ partial: KeptPartial) {
        self.partial = partial
    }

    private struct Object: Encodable {
        let event = "partial"
        /// Escaped without loss.
        let name: String
        let verified: UInt64
        let size: UInt64
        /// UTC, `2026-01-31T12:00:00Z`.
        let written: String
        let inUse: Bool
    }

    func text(asJSON: Bool) -> String {
        let name = self.partial.path.description
        let time = UTCTime(seconds: self.partial.lastWrite.seconds)
        guard !asJSON else {
            return JSONLine.text(
                Object(
                    name: name,
                    verified: self.partial.verified,
                    size: self.partial.size,
                    written: time.iso8601,
                    inUse: self.partial.isInUse
                )
            )
        }
        let amount = "\(HumanText.size(self.partial.verified)) of \(HumanText.size(self.partial.size))"
        let padding = String(repeating: " ", count: max(0, 24 - amount.count))
        return "\(padding)\(amount)  \(time.text)  \(self.partial.isInUse ? "in use" : "kept  ")  \(name)"
    }
}
