#include "replication/table_doubts.h"

#include <set>
#include <string>

#include "replication/lag_keeper.h"

namespace liteferry {
void ShowDoubts(EngineContext& context, const Session& session) {
  std::set<std::string> doubted;
  for (const auto& [number, suspect] : session.suspects) {
    if (const TableMapping* table = session.Find(number)) doubted.insert(table->source.name);
  }
  const bool none = doubted.empty() && session.mapping.problems.empty();
  if (none && !context.doubts_shown) return;
  context.doubts_shown = !none;
  context.board.Update([&](EngineStatus& status) {
    for (TableStatus& table : status.tables) {
      table.in_doubt = doubted.contains(table.name);
      if (!table.in_doubt && table.problem.empty()) {
        table.behind_since.reset();
      } else if (!table.behind_since) {
        table.behind_since = LastInSync(session.stream);
      }
    }
  });
}

}  // namespace liteferry
