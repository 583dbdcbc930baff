# segeval with its extras: docker run --rm -v "$PWD:/data" segeval score pred/ truth/
FROM python:3.12 AS build
# this image has a compiler, for the kernel that counts; the one below needs none
COPY . /src
RUN python -m venv /opt/segeval
RUN /opt/segeval/bin/python -m pip install --no-cache-dir -c /src/constraints.txt "/src[coco,medical,objects,report,surface,topology]"
RUN /opt/segeval/bin/python -m pip uninstall --yes pip

FROM python:3.12-slim
COPY --from=build /opt/segeval /opt/segeval
ENV PATH=/opt/segeval/bin:$PATH HOME=/tmp
USER 1000:1000
WORKDIR /data
ENTRYPOINT ["segeval"]
