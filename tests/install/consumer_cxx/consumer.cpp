// A C++ user of the installed library: every header, two probes in liver solved in memory, the summary as JSON.
#include <irezone/anatomy.h>
#include <irezone/mesh.h>
#include <irezone/model.h>
#include <irezone/result.h>
#include <irezone/sweep.h>
#include <irezone/tissue.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <petscsys.h>
#include <string>

namespace {
const char plan_text[] = "name: consumer\n"
                         "mesh: {size: 60, accuracy: 20, order: 1}\n"
                         "tissues: {default: {preset: liver}}\n"
                         "array: {count: 2, spacing: 15, exposure: 15}\n"
                         "pulses: [{from: A, to: B, voltage: 2000, count: 90, width: 100, rate: 1.5}]\n";

using Plan = std::unique_ptr<IrzPlan, void (*)(IrzPlan *)>;
using Model = std::unique_ptr<IrzModel, void (*)(IrzModel *)>;
using Text = std::unique_ptr<char, void (*)(void *)>;

int solve() {
  IrzError error{};
  IrzPlan *made_plan = nullptr;
  IrzModel *made_model = nullptr;
  IrzSummary summary{};
  IrzModelOptions options{};
  options.threads = 1;
  IrzCode code = irz_plan_parse(plan_text, "consumer.yaml", 0, nullptr, &made_plan, &error);
  Plan plan(made_plan, irz_plan_free);
  if (code == IRZ_OK) code = irz_model_create(PETSC_COMM_WORLD, plan.get(), &options, &made_model, &error);
  Model model(made_model, irz_model_free);
  if (code == IRZ_OK) code = irz_model_solve(model.get(), plan.get(), &summary, &error);
  if (code != IRZ_OK) {
    std::fprintf(stderr, "consumer: %s\n", error.text);
    return code;
  }
  Text json(irz_summary_json(&summary), std::free);
  std::printf("zone %.1f cm3, current %.1f A\n", summary.zone.volume * 1e6, summary.pulses[0].current);
  bool right = summary.zone.volume > 1e-6 && summary.zone.volume < 2e-5;
  right = right && std::string(json.get()).find("volume_cm3") != std::string::npos;
  irz_summary_clear(&summary);
  return right ? 0 : 1;
}
} // namespace

int main(int argc, char **argv) {
  if (PetscInitialize(&argc, &argv, nullptr, nullptr) != 0) return 1;
  int status = solve();
  PetscFinalize();
  return status;
}
