/// What is asked of a setting, whatever kind it is of.
///
/// The compiler makes a copy for each kind, so that nothing is boxed or looked up while a ledger of
/// thousands of settings is settled.
protocol SettingVisitor {
  associatedtype Answer
  mutating func visit<Kind: SettingKind>(_ setting: Kind) -> Answer
}

private struct TraitsVisitor: SettingVisitor {
  func visit(_ setting: some SettingKind) -> SettingTraits { setting.traits }
}

private struct KernelChangesVisitor: SettingVisitor {
  func visit(_ setting: some SettingKind) -> KernelChanges { setting.kernelChanges }
}

private struct CollectiveVisitor: SettingVisitor {
  func visit(_ setting: some SettingKind) -> Collective? { setting.collective }
}

/// For what is not asked of many settings at once.
private struct KindVisitor: SettingVisitor {
  func visit(_ setting: some SettingKind) -> any SettingKind { setting }
}

extension Setting {
  /// What the engine has to heed.
  package var traits: SettingTraits {
    var visitor = TraitsVisitor()
    return accept(&visitor)
  }

  /// Which values are nobody's decision, as the kernel itself puts them there.
  package var kernelChanges: KernelChanges {
    var visitor = KernelChangesVisitor()
    return accept(&visitor)
  }

  /// What the setting is one of; nil for one that is claimed by itself.
  package var collective: Collective? {
    var visitor = CollectiveVisitor()
    return accept(&visitor)
  }

  /// The setting's kind in a box.
  var kind: any SettingKind {
    var visitor = KindVisitor()
    return accept(&visitor)
  }
}

extension WordWriter: SettingVisitor {
  mutating func visit<Kind: SettingKind>(_ setting: Kind) {
    raw(Kind.word)
    setting.write(to: &self)
  }

  package mutating func setting(_ setting: Setting) { setting.accept(&self) }
}
