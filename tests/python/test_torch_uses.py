"""Records, compiles and differentiates liblstm.torch.LSTM and nn.LSTM side by side, and uses
them with other types and modes.

usage: test_torch_uses.py (with LIBLSTM in the environment)
"""
import os
import tempfile
import unittest

from sides import LSTM, Model, Sides, X, Y, grads, has, nn, random, run, torch
from torch.nn.utils.rnn import pack_padded_sequence


class Recording(Sides):
    """nn.LSTM computes while something records the module."""

    def test_traces(self):
        self.same(lambda model: torch.jit.trace(model, X)(Y))
        self.same(torch.no_grad()(lambda model: torch.jit.trace(model, X)(Y)))
        self.same(lambda model: torch.jit.trace(model.lstm, X)(random(3, 7, 3)))

    def test_scripts(self):
        self.same(lambda model: torch.jit.script(model)(Y))
        model = Model(LSTM)
        scripted = torch.jit.script(model)
        with torch.no_grad():
            model.lstm.weight_hh_l0.mul_(2)
        torch.testing.assert_close(scripted(X), model(X))

    def test_exports(self):
        for strict in (False, True):
            self.same(lambda model: torch.export.export(
                model.eval(), (X,), strict=strict).module()(Y))
        self.same(lambda model: torch.export.export(model, (X,)).module()(Y))

    @unittest.skipUnless(has("onnx", "onnxruntime", "onnxscript"),
                         "ONNX packages are not installed")
    def test_onnx_exporters(self):
        import onnxruntime

        def export(model, dynamo, axes):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "model.onnx")
                dynamic = {"dynamic_shapes": axes} if dynamo else \
                    {"dynamic_axes": axes and {"x": axes[0]}}
                torch.onnx.export(model.eval(), (X,), path, dynamo=dynamo, verbose=False,
                                  input_names=["x"], **dynamic)
                session = onnxruntime.InferenceSession(path)
                x = random(3, 5, 3) if axes else Y
                return session.run(None, {"x": x.numpy()})

        for dynamo in (False, True):
            for axes in (None, ({0: "n"},)):
                with self.subTest(dynamo=dynamo, axes=axes):
                    self.same(lambda model: export(model, dynamo, axes),
                              bidirectional=True)

    def test_fx_graphs_contain_the_module(self):
        self.same(lambda model: torch.fx.symbolic_trace(model)(Y))
        graph = torch.fx.symbolic_trace(Model(LSTM))
        self.assertIsInstance(graph.lstm, LSTM)
        self.assertIn("call_module", [node.op for node in graph.graph.nodes])
        self.wrong(lambda model: torch.fx.symbolic_trace(model.lstm),
                   torch.fx.proxy.TraceError, "control flow")

        from torch.fx.experimental.proxy_tensor import make_fx
        self.same(lambda model: make_fx(model)(X)(Y))

    def test_tensors_without_values(self):
        def shapes(outputs):
            return [output.shape for output in outputs]

        self.same(lambda model: shapes(model.to("meta")(X.to("meta"))))
        from torch._subclasses.fake_tensor import FakeTensorMode

        def fake(model):
            with FakeTensorMode(allow_non_fake_inputs=True) as mode:
                return shapes(model(mode.from_tensor(X)))
        self.same(fake)

    def test_subclasses_of_tensor(self):
        class Kind(torch.Tensor):
            pass

        def use(model):
            out = model(X.as_subclass(Kind))[0]
            return isinstance(out, Kind), out.as_subclass(torch.Tensor)
        self.same(use)


class Compiling(Sides):
    """torch.compile() does not look into the module."""

    def compiled(self, model, **options):
        torch._dynamo.reset()
        compiled, results = torch.compile(model, **options), []
        for seed in range(3):
            torch.manual_seed(seed)
            out, hn = compiled(X)
            results += [out.detach(), *grads(model, out, hn)]
        return [*results, torch.rand(3)]

    def test_results_and_masks(self):
        for options in (dict(dropout=0.5), dict(bidirectional=True)):
            self.same(lambda model: self.compiled(model, backend="aot_eager"), **options)
            theirs, ours = Model(nn.LSTM, **options), Model(LSTM, **options)
            torch.manual_seed(7)
            expected = theirs(X)
            torch._dynamo.reset()
            torch.manual_seed(7)
            compiled = torch.compile(ours, backend="eager")
            torch.testing.assert_close(compiled(X), expected)

    def test_compiled_modules_and_the_whole_graph(self):
        def alone(model):
            torch._dynamo.reset()
            model.lstm.compile(backend="eager")
            return model(X)
        self.same(alone)
        self.wrong(lambda model: self.compiled(model, backend="eager", fullgraph=True),
                   Exception, "LSTM")

    def test_the_compiler_is_not_imported_before_its_use(self):
        program = """if True:
            import sys, torch
            from liblstm.torch import LSTM
            LSTM(2, 3)(torch.ones(1, 1, 2))[0].sum().backward()
            print("torch._dynamo" in sys.modules)
            """
        done = run(program)
        self.assertEqual(done.stdout, "False\n", done.stderr)


class Derivatives(Sides):
    def test_transforms(self):
        func = torch.func

        def parameters(model):
            return func.grad(lambda values: func.functional_call(
                model, values, X)[0].sum())(dict(model.named_parameters()))

        def vjp(model):
            out, backward = func.vjp(lambda x: model(x)[0], X)
            return backward(out)
        self.same(parameters)
        self.same(vjp)
        self.same(lambda model: func.jacrev(lambda x: model(x)[0])(X))
        self.wrong(lambda model: func.vmap(model)(torch.stack([X, Y])),
                   RuntimeError, "aten::lstm")
        for frozen in (False, True):
            self.wrong(lambda model: func.jvp(
                model.requires_grad_(not frozen), (X,), (Y,)), NotImplementedError,
                "forward AD")

    def test_jacobians(self):
        jacobian = torch.autograd.functional.jacobian
        self.same(lambda model: jacobian(lambda x: model(x)[0], X))
        self.refused(lambda model: jacobian(lambda x: model(x)[0], X, vectorize=True),
                     RuntimeError, "batched gradients .*torch.nn.LSTM")
        self.refused(lambda model: torch.autograd.functional.hessian(
            lambda x: model(x)[0].sum(), X), RuntimeError, "torch.nn.LSTM")

    def test_second_derivatives_are_refused(self):
        def penalty(model, loss, source):
            x = X.clone().requires_grad_()
            gradient, = torch.autograd.grad(loss(model.lstm(x)[0]), source(model, x),
                                            create_graph=True)
            gradient.square().sum().backward()

        for loss in (torch.sum, lambda out: out.square().sum()):
            for source in (lambda _, x: x, lambda model, _: model.lstm.weight_ih_l0):
                self.refused(lambda model: penalty(model, loss, source), RuntimeError,
                             "no second derivatives; use torch.nn.LSTM")
        x, model = X.clone().requires_grad_(), Model(LSTM)
        with self.assertRaisesRegex(RuntimeError, "no second derivatives"):
            torch.autograd.gradgradcheck(lambda x: model.lstm(x)[0], x, eps=1e-2, atol=1)

    def test_first_derivatives_with_a_graph_can_be_changed_in_place(self):
        def use(model):
            model(X)[0].sum().backward(create_graph=True)
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            return [parameter.grad.detach() for parameter in model.parameters()]
        self.same(use)

    def test_gradients_that_are_not_plain_memory(self):
        model, rows = Model(LSTM), torch.zeros(2, 1, 4, dtype=torch.int64)
        expected = grads(model, model.lstm(X)[0].gather(1, rows))[:8]
        model = Model(LSTM)
        out = model.lstm(X)[0].gather(1, rows, sparse_grad=True)
        torch.testing.assert_close(grads(model, out)[:8], expected)

        def negative(model):
            x = torch.complex(Y, X).conj().imag
            self.assertTrue(x.is_neg())
            state = x.new_ones(2, 2, 4)
            state = torch.complex(state, state).conj().imag
            return model(x), model.lstm(X, (state, state))
        self.same(negative)

    def test_changes_in_place(self):
        def change(model, name):
            tensors = dict(x=X.clone(), weight=model.lstm.weight_hh_l0.data,
                           h0=torch.zeros(2, 2, 4))
            if name == "weight":
                tensors["weight"] = model.lstm.weight_hh_l0
            loss = model.lstm(tensors["x"], (tensors["h0"], torch.zeros(2, 2, 4)))[0].sum()
            with torch.no_grad():
                tensors[name].add_(1)
            loss.backward()
        for name in ("weight", "h0"):
            self.wrong(lambda model: change(model, name), RuntimeError, "inplace operation")
        # nn.LSTM with batch_first has copied x.
        self.wrong_for_ours(lambda model: change(model, "x"), RuntimeError, "inplace")

    def test_checkpoints_offloading_and_batched_hooks(self):
        from torch.utils.checkpoint import checkpoint

        def use(model, **options):
            x = X.clone().requires_grad_()
            torch.manual_seed(3)
            out = checkpoint(model, x, **options)[0]
            return out.detach(), x.grad, grads(model, out)
        for reentrant in (False, True):
            self.same(lambda model: use(model, use_reentrant=reentrant), dropout=0.5)

        def offload(model):
            with torch.autograd.graph.save_on_cpu():
                out = model(X)[0]
            return grads(model, out)
        self.same(offload)


class Types(Sides):
    def test_autocast(self):
        def use(model):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                out, hn = model(X)
                with torch.autocast("cpu", enabled=False):
                    inside = model(X)
            return out, hn, inside, grads(model, out.float())
        self.same(use)

    def test_other_types_and_devices_are_refused(self):
        for kind in (torch.float64, torch.float16, torch.bfloat16):
            self.refused(lambda model: model.to(kind)(X.to(kind)), TypeError,
                         rf"input is {kind} on cpu, .*\.float\(\).*torch.nn.LSTM")
        self.refused(lambda model: type(model.lstm)(3, 4, dtype=torch.float64)(X.double()),
                     TypeError, "torch.nn.LSTM")
        self.wrong(lambda model: model(X.double()), ValueError, "does not match weight")
        self.wrong(lambda model: model.lstm(X, [torch.zeros(2, 2, 4).double()] * 2),
                   TypeError, "h0 is torch.float64 .*torch.nn.LSTM")
        self.wrong(lambda model: model(X.to_sparse()), TypeError, r"sparse_coo .*to_dense")
        self.wrong(lambda model: model(X.to("meta")), RuntimeError, "same device")

    def test_default_types_and_devices_of_programs(self):
        def train(model):
            x = X.clone().requires_grad_()
            packed = pack_padded_sequence(x, torch.tensor([5, 3]), batch_first=True)
            state = x.new_ones(2, 2, 4)
            torch.manual_seed(3)
            yield
            out = model.lstm(x, (state, state))[0]
            out2 = model.lstm(packed, (state, state))[0].data
            yield [out.detach(), out2.detach(), grads(model.lstm, out, out2), x.grad]

        def with_double(model):
            work = train(model)
            next(work)
            try:
                torch.set_default_dtype(torch.float64)
                return next(work)
            finally:
                torch.set_default_dtype(torch.float32)

        def with_device(model):
            work = train(model)
            next(work)
            with torch.device("meta"):
                return next(work)
        self.same(with_double, dropout=0.5)
        self.same(with_device, dropout=0.5)

    def test_inference_mode(self):
        def use(model):
            with torch.inference_mode():
                out = model(X)[0]
                x = X.clone()
            self.assertTrue(out.is_inference() and x.is_inference())
            return out.clone(), model(x), grads(model, model(x)[0])
        self.same(use)

    def test_quantization_is_refused(self):
        quantize = torch.ao.quantization.quantize_dynamic
        message = "no quantization; .*torch.nn.LSTM"
        if "fbgemm" in torch.backends.quantized.supported_engines:
            for spec in (None, {nn.LSTM, nn.Linear}, {nn.LSTM}):
                self.refused(lambda model: quantize(model, spec)(X), TypeError, message)
        else:
            self.wrong_for_ours(quantize, TypeError, message)
        from torch.ao.quantization import (QConfigMapping, default_dynamic_qconfig,
                                           quantize_fx)
        mapping = QConfigMapping().set_global(default_dynamic_qconfig)
        self.wrong_for_ours(lambda model: quantize_fx.prepare_fx(model.eval(), mapping, X),
                            TypeError, message)

    def test_an_nn_lstm_shares_the_parameters(self):
        model = Model(LSTM)
        twin = model.lstm.to_nn()
        self.assertIs(type(twin), nn.LSTM)
        self.assertIs(twin.weight_hh_l0, model.lstm.weight_hh_l0)
        torch.testing.assert_close(twin(X), model.lstm(X))
        twin.weight_hh_l0 = nn.Parameter(torch.zeros(16, 4))
        self.assertIsNot(twin.weight_hh_l0, model.lstm.weight_hh_l0)
        nn.utils.parametrizations.weight_norm(model.lstm, "weight_ih_l0")
        with self.assertRaisesRegex(TypeError, "parametrizations"):
            model.lstm.to_nn()


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
