import ArgumentParser
import Fxfer

/// A level of ``Fxfer/Durability`` by its name: by its own raw value, a number, the help would speak of it.
enum LevelArgument: String, CaseIterable, ExpressibleByArgument {
    case verified
    case durable
    case media

    var level: Durability {
        switch self {
        case .verified: .verified
        case .durable: .durable
        case .media: .media
        }
    }
}
